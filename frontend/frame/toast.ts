/** Toasts: one sentence at the bottom of the page that screen readers read out. */

const LASTS_MS = 8_000;
/** Longer for a toast that can be undone: there is something to decide. */
const LASTS_WITH_UNDO_MS = 20_000;

/** Let a toast go after a while, but not while somebody points at it or has the focus in it. */
function expire(toast: HTMLElement): void {
  const lasts = toast.querySelector(".undo") === null ? LASTS_MS : LASTS_WITH_UNDO_MS;
  window.setTimeout(function go() {
    if (toast.matches(":hover, :focus-within")) window.setTimeout(go, 1_000);
    else toast.remove();
  }, lasts);
}

/** Show a sentence. */
export function tell(text: string): void {
  const place = document.querySelector<HTMLElement>(".toasts");
  const model = document.querySelector<HTMLTemplateElement>("#toast-model");
  if (place === null || model === null) return;
  const toast = (model.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
  const words = toast.querySelector(".grow");
  if (words !== null) words.textContent = text;
  place.append(toast);
  expire(toast);
}

// What the server put there is put there again: a screen reader reads out what comes, not what is there already.
for (const toast of document.querySelectorAll<HTMLElement>(".toasts > .toast")) {
  toast.remove();
  window.setTimeout(() => {
    document.querySelector(".toasts")?.append(toast);
    expire(toast);
  }, 150);
}

document.addEventListener("click", (event) => {
  if (event.target instanceof Element) event.target.closest("[data-dismiss]")?.closest(".toast")?.remove();
});
// An answer to htmx says it with the header `HX-Trigger: {"toast": "Saved."}`.
document.addEventListener("toast", (event) => tell(String((event as CustomEvent<{ value?: string }>).detail.value ?? "")));
