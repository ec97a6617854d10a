/** Forms that load a page: sent once, kept while there is no connection, and not left with changes that nobody saved. */
import { tell } from "./toast";

/** After this long without a page, a form may be sent again. */
const LONGEST_MS = 15_000;
const FIELDS = "input:not([type=hidden]), select, textarea";

const sending = new WeakMap<HTMLFormElement, number>();
const changed = new Set<HTMLFormElement>();

/** Let a form be sent again. */
function free(form: HTMLFormElement): void {
  window.clearTimeout(sending.get(form));
  sending.delete(form);
  for (const each of form.querySelectorAll("[aria-busy]")) each.removeAttribute("aria-busy");
}

/** Whether leaving the page would lose what was typed: editors save by themselves, and one field is soon typed again. */
function keeps(form: HTMLFormElement): boolean {
  if (form.getAttribute("method") !== "post" || form.matches("[hx-post], #template-form") || form.closest("dialog") !== null) return false;
  return form.querySelector("[type=password]") === null && form.querySelectorAll(FIELDS).length > 1;
}

// On a slow network a second click would make a second one of whatever it is, and lose the answer to the first.
// Of the window, so that scripts that send a form in another way have prevented it by now.
window.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement) || form.target === "_blank") return;
  const posts = form.getAttribute("method") === "post";
  if (posts && !navigator.onLine) {
    event.preventDefault();
    tell("You are offline. Everything on this page is still here: try again when you are connected.");
    return;
  }
  if (!posts) return;
  if (sending.has(form)) {
    event.preventDefault();
    return;
  }
  changed.delete(form);
  event.submitter?.setAttribute("aria-busy", "true");
  sending.set(
    form,
    window.setTimeout(() => free(form), LONGEST_MS),
  );
});
// A page that comes back from the browser's memory is as it was when it was left.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted) for (const each of document.forms) free(each);
});

document.addEventListener("input", ({ target }) => {
  const form = target instanceof Element && target.matches(FIELDS) ? target.closest("form") : null;
  if (form !== null && keeps(form)) changed.add(form);
});
window.addEventListener("beforeunload", (event) => {
  if ([...changed].some((each) => each.isConnected)) event.preventDefault();
});

// A browser cuts what is pasted to what the field takes, without a word.
document.addEventListener("paste", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) || field.maxLength < 0) return;
  const room = field.maxLength - field.value.length + ((field.selectionEnd ?? 0) - (field.selectionStart ?? 0));
  const pasted = event.clipboardData?.getData("text").length ?? 0;
  if (pasted > room) tell(`Only the first ${room.toLocaleString("en")} of ${pasted.toLocaleString("en")} characters fit into this field.`);
});
