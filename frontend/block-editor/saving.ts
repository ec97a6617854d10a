/** Saving: each change is sent at once, and stays in this browser until the server has it. */

interface Sent {
  body: string;
  at: number;
}

interface Answered {
  xhr: XMLHttpRequest;
  shouldSwap: boolean;
  elt: Element;
}

const RETRY_MS = 3000;

/** Save the form at each change, and say plainly when that fails. */
export function saving(form: HTMLFormElement): void {
  const key = `wetink editor ${location.pathname}`;
  const trouble = document.getElementById("trouble");
  let waiting = 0;
  let leaving = false;
  let pressed = "";

  const body = (): string => {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.append(name, value);
    return fields.toString();
  };
  const keep = (): void => {
    try {
      localStorage.setItem(key, JSON.stringify({ body: body(), at: Date.now() } satisfies Sent));
    } catch {
      // a full or forbidden storage: the form itself still has everything
    }
  };
  const forget = (): void => localStorage.removeItem(key);
  const say = (text: string, link?: { href: string; words: string }): void => {
    if (trouble === null) return;
    trouble.hidden = text === "";
    trouble.textContent = text;
    if (link === undefined) return;
    const anchor = document.createElement("a");
    anchor.href = link.href;
    anchor.textContent = link.words;
    trouble.append(" ", anchor);
  };
  const state = (text: string): void => {
    const saved = document.getElementById("saved");
    if (saved !== null) saved.textContent = text;
  };
  const again = (): void => {
    const button = pressed === "" ? null : form.querySelector<HTMLButtonElement>(`button[name="do"][value="${CSS.escape(pressed)}"]`);
    pressed = "";
    if (button === null) form.dispatchEvent(new Event("save", { bubbles: true }));
    else button.click();
  };
  const retry = (): void => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(again, RETRY_MS);
  };

  form.addEventListener("input", () => {
    keep();
    if (trouble?.hidden !== false) state("Saving …");
  });
  form.addEventListener("save", keep);
  form.addEventListener("htmx:sendError", (event) => {
    const { elt } = (event as CustomEvent<Answered>).detail;
    if (elt instanceof HTMLButtonElement && elt.name === "do") pressed = elt.value;
    keep();
    say("No connection. Your changes are kept in this browser and are sent as soon as the server answers.");
    retry();
  });
  form.addEventListener("htmx:timeout", retry);
  window.addEventListener("online", () => {
    if (trouble?.hidden !== false) return;
    window.clearTimeout(waiting);
    again();
  });
  form.addEventListener("htmx:responseError", (event) => {
    const { xhr } = (event as CustomEvent<Answered>).detail;
    keep();
    if (xhr.status === 401) {
      const href = `/dashboard/login?next=${encodeURIComponent(location.pathname)}`;
      say("Your session has ended. Your changes are kept in this browser.", { href, words: "Sign in and go on" });
    } else if (xhr.status === 403) {
      say("You have signed in again since this page was opened. Your changes are kept in this browser.", { href: location.pathname, words: "Reload" });
    } else {
      const told = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector("main p, main");
      const why = xhr.status < 500 ? (told?.textContent ?? "").trim().slice(0, 200) : "";
      say(`The server could not save this${why ? `: ${why}` : ` (${xhr.status})`}. Your changes are kept in this browser.`);
      if (xhr.status >= 500) retry();
    }
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && trouble?.hidden === false) retry(); // somebody may have signed in again in another tab
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    const { xhr } = (event as CustomEvent<Answered>).detail;
    if (xhr.status !== 200 || !xhr.responseURL.includes("/edit")) return;
    window.clearTimeout(waiting);
    say("");
    if (document.querySelector("#notices [role=alert]") === null) forget();
  });
  document.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest("[data-leave], [data-plain] > button, button[data-plain]")) leaving = true;
  });
  form.addEventListener("submit", () => (leaving = true));
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && trouble?.hidden === false && !trouble.querySelector("a")) event.preventDefault();
  });
  window.setInterval(() => {
    for (const time of form.querySelectorAll<HTMLTimeElement>("#saved time")) {
      const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
      time.textContent = seconds < 2 ? "just now" : seconds < 60 ? `${seconds} s ago` : `${Math.floor(seconds / 60)} min ago`;
    }
  }, 1000);
  restore(form, key, say, forget);
}

/** Offer what an earlier page could not save. */
function restore(
  form: HTMLFormElement,
  key: string,
  say: (text: string) => void,
  forget: () => void,
): void {
  let kept: Partial<Sent> = {};
  try {
    kept = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Sent>;
  } catch {
    forget();
  }
  const { body, at } = kept;
  if (body === undefined || at === undefined) return;
  const sent = new URLSearchParams(body);
  const csrf = form.querySelector<HTMLInputElement>("[name=csrf]")?.value ?? "";
  const revision = form.querySelector<HTMLInputElement>("[name=revision]")?.value ?? "";
  sent.set("csrf", csrf);
  sent.set("was", "");
  sent.set("do", "");
  const same = sent.get("revision") === revision;
  say(`Changes of ${new Date(at).toLocaleString()} were not saved.`);
  const trouble = document.getElementById("trouble");
  const button = (words: string, work: () => void): void => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button small";
    made.textContent = words;
    made.addEventListener("click", work);
    trouble?.append(" ", made);
  };
  const go = async (address: string): Promise<void> => {
    const answer = await fetch(address, { method: "POST", body: sent, headers: { "x-csrf": csrf } });
    if (!answer.ok) return say(`The server could not save them (${answer.status}). They are still kept in this browser.`);
    forget();
    window.location.assign(answer.url);
  };
  if (same) button("Restore them", () => void go(`${location.pathname}`));
  button("Keep them as a copy", () => void go(`${location.pathname}/copy`));
  button("Drop them", () => {
    forget();
    say("");
  });
}
