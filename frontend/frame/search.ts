/** Search: Ctrl+K or ⌘K opens a dialog whose results follow each letter, and arrows walk them. */
import { later } from "./later";

const dialog = document.querySelector<HTMLDialogElement>("dialog#search");
const field = dialog?.querySelector<HTMLInputElement>("input[type=search]");
const results = dialog?.querySelector<HTMLElement>("#search-results");
const said = dialog?.querySelector<HTMLElement>("#search-said");
const WAIT_MS = 60;

let at = -1;
let asked: AbortController | undefined;

/** Return the results as they stand. */
function options(): HTMLAnchorElement[] {
  return [...(results?.querySelectorAll("a") ?? [])];
}

/** Mark one result as the one that Enter opens; screen readers are told by the field. */
function mark(next: number): void {
  const all = options();
  at = all.length === 0 ? -1 : (next + all.length) % all.length;
  for (const [index, each] of all.entries()) {
    each.classList.toggle("at", index === at);
    each.setAttribute("aria-selected", String(index === at));
  }
  const chosen = all[at];
  if (chosen === undefined) field?.removeAttribute("aria-activedescendant");
  else field?.setAttribute("aria-activedescendant", chosen.id);
  chosen?.scrollIntoView({ block: "nearest" });
}

/** Turn the list of links that the server sends into the options of a combobox. What was marked stays marked. */
function take(html: string, same: boolean): void {
  if (results === null || results === undefined || said === null || said === undefined) return;
  const marked = same ? options()[at]?.href : undefined;
  results.innerHTML = html;
  for (const each of results.querySelectorAll("section")) each.setAttribute("role", "group");
  for (const each of results.querySelectorAll("ul, li")) each.setAttribute("role", "presentation");
  for (const [index, each] of options().entries()) {
    each.id = `search-option-${index}`;
    each.setAttribute("role", "option");
    each.tabIndex = -1;
  }
  const count = options().length;
  results.setAttribute("role", count > 0 ? "listbox" : "presentation");
  const nothing = results.querySelector(".nothing")?.textContent ?? "";
  said.textContent = count > 0 ? `${count} ${count === 1 ? "result" : "results"}. ${nothing}` : nothing;
  mark(Math.max(0, options().findIndex(({ href }) => href === marked)));
}

/** Ask for the results of what is typed; an earlier question no longer counts. What is late is asked for again, and waited for. */
async function ask(wait = false): Promise<void> {
  if (field === null || field === undefined) return;
  asked?.abort();
  asked = new AbortController();
  try {
    const query = new URLSearchParams({ q: field.value, ...(wait ? { wait: "" } : {}) });
    const answer = await fetch(`/dashboard/search?${query}`, { headers: { "hx-request": "true" }, signal: asked.signal });
    if (answer.redirected) return window.location.assign("/dashboard/login");
    if (answer.ok) {
      take(await answer.text(), wait);
      if (!wait && results?.querySelector("[data-late]")) void ask(true);
    } else if (said) said.textContent = "The search does not answer.";
  } catch (error) {
    if (!(error instanceof DOMException) && said) said.textContent = "The search does not answer.";
  }
}

/** Open the dialog with an empty field. */
function open(): void {
  if (dialog === null || field === null || field === undefined || dialog.open) return;
  dialog.showModal();
  field.value = "";
  field.focus();
  void ask();
}

if (dialog && field && results) {
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  for (const each of document.querySelectorAll<HTMLElement>(".search-button kbd")) {
    each.textContent = mac ? "⌘K" : "Ctrl K";
    each.hidden = false;
  }
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-expanded", "true");
  field.setAttribute("aria-controls", "search-results");
  field.setAttribute("aria-autocomplete", "list");
  results.setAttribute("aria-label", "Results");
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.target.closest(".search-opener") === null) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  field.addEventListener("input", later(() => void ask(), WAIT_MS));
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(at + (event.key === "ArrowDown" ? 1 : -1));
    }
    if (event.key === "Enter") {
      const chosen = options()[at];
      if (chosen === undefined || event.isComposing) return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) window.open(chosen.href);
      else chosen.click();
    }
  });
  results.addEventListener("pointermove", (event) => {
    const over = event.target instanceof Element ? event.target.closest("a") : null;
    if (over !== null && !over.classList.contains("at")) mark(options().indexOf(over));
  });
  // A link into the page that is already open loads nothing: the dialog has to go by itself.
  results.addEventListener("click", () => dialog.close());
}
