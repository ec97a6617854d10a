/** Variants in order: dragged by their handle, or moved by their buttons. */

import Sortable from "sortablejs";

const made = new WeakSet<HTMLElement>();

/** Let the variants of the form be dragged. The field `order` has their keys, which the server reads. */
export function order(form: HTMLFormElement): void {
  const list = form.querySelector<HTMLElement>("#variants");
  const field = form.querySelector<HTMLInputElement>("#order");
  if (list === null || field === null || made.has(list)) return;
  made.add(list);
  Sortable.create(list, {
    handle: ".handle",
    draggable: ".variant",
    animation: 140,
    forceFallback: true,
    fallbackTolerance: 3,
    onEnd: ({ item, oldIndex, newIndex }) => {
      if (oldIndex === newIndex) return;
      const keys = [...list.querySelectorAll<HTMLElement>(".variant")].map((each) => each.dataset["key"] ?? "");
      field.value = keys.join(",");
      const said = document.getElementById("said");
      const name = item.querySelector("[data-name]")?.textContent ?? "";
      if (said !== null) said.textContent = `${name} is now variant ${keys.indexOf(item.dataset["key"] ?? "") + 1} of ${keys.length}.`;
      form.dispatchEvent(new Event("save", { bubbles: true }));
    },
  });
}
