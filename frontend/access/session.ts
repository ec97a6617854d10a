/** A session that ends while a page is open: nothing on the page is lost, and it goes on once somebody signed in again. */

import { tell } from "../frame/toast";

const ENDED = "wetink-session";
const SIGN_IN = "/dashboard/login?next=/dashboard/session/back";

interface State {
  readonly name: string;
  readonly csrf: string;
}

let asking: HTMLDialogElement | undefined;

/** Say that the session has ended, over whatever the person is doing. */
function ask(): void {
  if (asking?.open) return;
  asking = document.createElement("dialog");
  asking.className = "dialog";
  asking.setAttribute("aria-labelledby", "session-ended");
  const title = document.createElement("h2");
  title.id = "session-ended";
  title.textContent = "Your session ended";
  const text = document.createElement("p");
  text.className = "soft";
  text.textContent = "Everything on this page is still here. Sign in in another tab, come back, and go on.";
  const actions = document.createElement("div");
  actions.className = "actions";
  const later = document.createElement("button");
  later.type = "button";
  later.className = "button";
  later.textContent = "Not now";
  later.addEventListener("click", () => asking?.close());
  const link = document.createElement("a");
  link.className = "button primary";
  link.href = SIGN_IN;
  link.target = "_blank";
  link.rel = "opener";
  link.textContent = "Sign in";
  actions.append(later, link);
  asking.append(title, text, actions);
  const gone = asking;
  gone.addEventListener("close", () => gone.remove());
  document.body.append(gone);
  gone.showModal();
  link.focus();
}

/** Go on if the browser is signed in again: what the page sends next belongs to the new session. */
async function back(): Promise<void> {
  const held = document.querySelector<HTMLFormElement>("form[data-held]");
  if (document.hidden || (held === null && !asking?.open)) return;
  const answer = await fetch("/dashboard/session");
  if (!answer.ok) return;
  const state = (await answer.json()) as State;
  if (state.name === "") return;
  if (held !== null) {
    held.submit();
    return;
  }
  document.body.setAttribute("hx-headers", JSON.stringify({ "x-csrf": state.csrf }));
  for (const field of document.querySelectorAll<HTMLInputElement>('input[name="csrf"]')) field.value = state.csrf;
  for (const each of document.querySelectorAll<HTMLElement>("[data-csrf]")) each.dataset["csrf"] = state.csrf;
  asking?.close();
  tell(`You are signed in as ${state.name}. Go on where you were.`);
}

document.addEventListener("htmx:afterRequest", (event) => {
  const request = (event as CustomEvent<{ xhr?: XMLHttpRequest }>).detail.xhr;
  if (request?.getResponseHeader(ENDED) === "ended") ask();
});

const usual = window.fetch.bind(window);
window.fetch = async (...given) => {
  const answer = await usual(...given);
  if (answer.headers.get(ENDED) === "ended") ask();
  return answer;
};

window.addEventListener("focus", () => void back());
document.addEventListener("visibilitychange", () => void back());
