/** Problems stand at their fields. The server sends them as one list. */

/** Return the id of the place for a field's problem. */
function place(field: string): string {
  return `wrong-${field.replaceAll(".", "-")}`;
}

/** Write each problem of the list at its field, and clear the others. */
export function problems(form: HTMLFormElement): void {
  const found = new Map<string, string>();
  for (const each of document.querySelectorAll<HTMLElement>("#problems [data-field]")) {
    found.set(place(each.dataset["field"] ?? ""), each.querySelector("span")?.textContent ?? "");
  }
  for (const error of form.querySelectorAll<HTMLElement>(".field-error")) {
    const why = found.get(error.id) ?? "";
    if (error.textContent === why) continue;
    error.textContent = why;
    for (const field of form.querySelectorAll(`[aria-describedby~="${error.id}"]`)) {
      if (why) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-to]") : null;
  const name = link?.dataset["to"];
  if (name === undefined) return;
  event.preventDefault();
  const error = document.getElementById(place(name));
  const field = document.getElementById(name) ?? error;
  for (let each = field?.parentElement ?? null; each !== null; each = each.parentElement) {
    if (each instanceof HTMLDetailsElement) each.open = true;
  }
  field?.scrollIntoView({ block: "center" });
  field?.focus();
});
