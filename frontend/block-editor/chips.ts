/** A list of choices as chips to press, in the order they were pressed. Without scripts it is a line of text. */

const made = new WeakSet<HTMLInputElement>();

/** Return a choice as people read it. */
function words(choice: string): string {
  const text = choice.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Put chips beside each field that has choices. */
export function chips(form: HTMLFormElement): void {
  for (const field of form.querySelectorAll<HTMLInputElement>("input[data-choices]")) {
    if (made.has(field)) continue;
    made.add(field);
    const choices = (field.dataset["choices"] ?? "").split(",");
    const group = document.createElement("span");
    group.className = "chip-list";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", form.querySelector(`label[for="${field.id}"]`)?.textContent ?? field.name);
    const chosen = (): string[] => field.value.split(",").map((each) => each.trim()).filter(Boolean);
    const buttons = choices.map((choice) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "toggle";
      button.addEventListener("click", () => {
        const now = chosen();
        const next = now.includes(choice) ? now.filter((each) => each !== choice) : [...now, choice];
        if (field.dataset["sorted"] !== undefined) next.sort((one, other) => choices.indexOf(one) - choices.indexOf(other));
        field.value = next.join(", ");
        show();
        field.dispatchEvent(new Event("input", { bubbles: true }));
      });
      group.append(button);
      return button;
    });
    const show = (): void => {
      const now = chosen();
      const ordered = field.dataset["sorted"] === undefined && now.length > 1;
      buttons.forEach((button, at) => {
        const choice = choices[at] ?? "";
        const place = now.indexOf(choice);
        button.setAttribute("aria-pressed", String(place >= 0));
        button.textContent = ordered && place >= 0 ? `${place + 1} ${words(choice)}` : words(choice);
      });
    };
    show();
    field.hidden = true;
    field.after(group);
  }
  for (const field of form.querySelectorAll<HTMLTextAreaElement>("textarea[data-offers]")) adder(field);
}

const fed = new WeakSet<HTMLTextAreaElement>();

/** Put a field with the catalog's names below a list of lines: a chosen name becomes a line. */
function adder(field: HTMLTextAreaElement): void {
  if (fed.has(field)) return;
  fed.add(field);
  const list = field.dataset["offers"] ?? "";
  if (document.querySelector(`#${list} option`) === null) return;
  const input = document.createElement("input");
  input.setAttribute("list", list);
  input.className = "adds";
  input.placeholder = "Add from your catalog";
  input.setAttribute("aria-label", `Add to ${document.querySelector(`label[for="${field.id}"]`)?.textContent ?? "the list"}`);
  const add = (): void => {
    const lines = field.value.split("\n").filter((each) => each.trim());
    if (input.value.trim() && !lines.includes(input.value.trim())) lines.push(input.value.trim());
    field.value = lines.join("\n");
    input.value = "";
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    if ([...document.querySelectorAll<HTMLOptionElement>(`#${list} option`)].some((each) => each.value === input.value)) add();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add();
  });
  field.after(input);
}
