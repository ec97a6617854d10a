/** Fields that choose a person: those chosen lately are at hand as buttons, until somebody logs out of this browser. */

interface Chosen {
  readonly who: string;
  readonly words: string;
}

const KEY = "wetink people";
const MOST = 4;
const IDENTIFIER = /^(user|email|anonymous):./;

function kept(): Chosen[] {
  try {
    return (JSON.parse(localStorage.getItem(KEY) ?? "[]") as Chosen[]).slice(0, MOST);
  } catch {
    return [];
  }
}

/** Remember a person who was chosen, first of all. */
function keep(field: HTMLInputElement): void {
  const who = field.value.trim();
  if (!IDENTIFIER.test(who)) return;
  const option = [...(field.list?.options ?? [])].find(({ value }) => value === who);
  const known = kept().find((each) => each.who === who);
  const words = option?.label.split(" · ")[0] ?? known?.words ?? who.slice(who.indexOf(":") + 1);
  try {
    localStorage.setItem(KEY, JSON.stringify([{ who, words }, ...kept().filter((each) => each.who !== who)].slice(0, MOST)));
  } catch {
    // a full or forbidden storage: the field itself has the person
  }
}

/** Show the people at hand, and which of them the field has. */
function show(field: HTMLInputElement): void {
  const place = document.getElementById("recent-people");
  if (place === null) return;
  for (const each of place.querySelectorAll("[data-recent]")) each.remove();
  for (const { who, words } of kept()) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "toggle small";
    button.dataset["who"] = who;
    button.dataset["recent"] = "";
    button.textContent = words;
    button.title = who;
    place.append(button);
  }
  for (const each of place.querySelectorAll<HTMLElement>("[data-who]")) {
    each.setAttribute("aria-pressed", String(each.dataset["who"] === field.value.trim()));
  }
  place.hidden = place.childElementCount === 0;
}

const field = document.querySelector<HTMLInputElement>("input[data-people]");
if (field !== null) {
  keep(field);
  show(field);
  field.addEventListener("change", () => {
    keep(field);
    show(field);
  });
  document.getElementById("recent-people")?.addEventListener("click", ({ target }) => {
    const who = target instanceof HTMLElement ? target.dataset["who"] : undefined;
    if (who === undefined) return;
    field.value = who;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
    if (field.form?.method === "get") field.form.requestSubmit();
    else document.querySelector<HTMLElement>(`#recent-people [data-who="${CSS.escape(who)}"]`)?.focus();
  });
}
document.addEventListener("submit", ({ target }) => {
  if (target instanceof HTMLFormElement && target.action.endsWith("/dashboard/logout")) localStorage.removeItem(KEY);
});
