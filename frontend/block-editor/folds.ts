/** What is unfolded stays so while the form is drawn again. */

/** Remember in the form which variants are unfolded. */
export function folds(form: HTMLFormElement): void {
  // On a phone, the picture comes first, and what it looks at is a press away.
  if (matchMedia("(max-width: 600px)").matches) form.querySelector(".look-fold")?.removeAttribute("open");
  form.addEventListener(
    "toggle",
    ({ target }) => {
      if (!(target instanceof HTMLDetailsElement)) return;
      const key = target.dataset["fold"];
      const field = key === undefined ? null : form.elements.namedItem(`v.${key}.open`);
      if (field instanceof HTMLInputElement) field.value = target.open ? "1" : "";
      if (target.id) open.set(target.id, target.open);
    },
    true,
  );
  document.addEventListener("htmx:oobAfterSwap", () => {
    for (const [id, state] of open) {
      const each = document.getElementById(id);
      if (each instanceof HTMLDetailsElement && each.open !== state && id !== "adder") each.open = state;
    }
  });
}

const open = new Map<string, boolean>();

/** Show a variant's name in its head while it is typed, and a color's code beside its field. */
export function names(form: HTMLFormElement): void {
  form.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLInputElement)) return;
    const key = /^v\.(\d+)\.name$/.exec(target.name)?.[1];
    const head = key === undefined ? null : form.querySelector(`[data-name="${key}"]`);
    if (head !== null) head.textContent = target.value || "Variant without a name";
    const code = target.type === "color" ? form.querySelector(`[data-color="${target.name}"]`) : null;
    if (code !== null) code.textContent = target.value;
  });
}
