/** Folded groups of the sidebar, and the color scheme, without loading the page again. */

const YEAR_S = 365 * 86_400;

const folds = [...document.querySelectorAll<HTMLDetailsElement>(".side details[data-fold]")];

/** Remember in a cookie which groups are folded once `turned` has turned, so that the server folds them on the next page. */
function remember(turned: HTMLDetailsElement): void {
  const names = folds.filter((each) => each.open === (each === turned)).map((each) => each.dataset["fold"]);
  document.cookie = `wetink_folded=${names.join(".")}; path=/dashboard; max-age=${YEAR_S}; samesite=lax`;
}

for (const each of folds) each.querySelector("summary")?.addEventListener("click", () => remember(each));

const form = document.querySelector<HTMLFormElement>("form.theme");
form?.addEventListener("submit", (event) => {
  const chosen = event.submitter;
  if (!(chosen instanceof HTMLButtonElement)) return;
  event.preventDefault();
  const sent = new URLSearchParams();
  for (const [name, value] of new FormData(form, chosen)) if (typeof value === "string") sent.append(name, value);
  void fetch(form.action, { method: "POST", body: sent, redirect: "manual" }).then(({ type }) => {
    if (type !== "opaqueredirect") return location.reload();
    const root = document.documentElement;
    if (chosen.value === "system") delete root.dataset["theme"];
    else root.dataset["theme"] = chosen.value;
    document
      .querySelector('meta[name="color-scheme"]')
      ?.setAttribute("content", chosen.value === "system" ? "light dark" : chosen.value);
    for (const each of form.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === chosen));
  });
});

export {};
