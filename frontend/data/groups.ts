/** The groups of an experiment: those that have variants are shown, each with the name that it gets of them. */

/** Return the name of a group that nobody has named, as the server makes it. */
function usual(variants: readonly string[]): string {
  return variants.join(" + ").slice(0, 60).trim();
}

function show(): void {
  const chosen = [...document.querySelectorAll<HTMLSelectElement>("select[data-group]")];
  for (const group of document.querySelectorAll<HTMLElement>(".experiment-group")) {
    const mine = chosen.filter((each) => each.value === group.dataset["number"]);
    group.hidden = mine.length === 0;
    const name = group.querySelector<HTMLInputElement>('input[name^="name."]');
    if (name !== null) name.placeholder = usual(mine.map((each) => each.dataset["group"] ?? ""));
  }
}

document.addEventListener("change", ({ target }) => {
  if (target instanceof HTMLSelectElement && target.dataset["group"] !== undefined) show();
});
