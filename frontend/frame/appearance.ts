/** Folded groups of the sidebar, and the color scheme, without loading the page again. */

const YEAR_S = 365 * 86_400;

/** Remember in a cookie which groups are folded, so that the server folds them on the next page. */
function remember(): void {
  const folds = [...document.querySelectorAll<HTMLDetailsElement>("details[data-fold]")];
  const names = folds.filter((each) => !each.open).map((each) => each.dataset["fold"]);
  document.cookie = `wetink_folded=${names.join(".")}; path=/dashboard; max-age=${YEAR_S}; samesite=lax`;
}

for (const each of document.querySelectorAll<HTMLDetailsElement>("details[data-fold]")) {
  each.querySelector("summary")?.addEventListener("click", () => window.setTimeout(remember));
}

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
