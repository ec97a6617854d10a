/** The sidebar as a sheet on small screens: with a script it takes the focus, holds it, and gives it back. */

const sheet = document.getElementById("menu");
const opener = document.querySelector<HTMLAnchorElement>('.topbar [href="#menu"]');

/** Return what cannot be reached while the sheet is open. */
function others(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(".skip, .topbar, main")];
}

/** Open or close the sheet. */
function show(open: boolean): void {
  if (sheet === null || opener === null || sheet.classList.contains("open") === open) return;
  sheet.classList.toggle("open", open);
  opener.setAttribute("aria-expanded", String(open));
  for (const each of others()) each.inert = open;
  document.documentElement.classList.toggle("held", open);
  if (open) sheet.querySelector<HTMLElement>(".close")?.focus();
  else opener.focus();
}

if (sheet !== null && opener !== null) {
  if (location.hash === "#menu") history.replaceState(null, "", location.pathname + location.search);
  opener.setAttribute("role", "button");
  opener.setAttribute("aria-controls", "menu");
  opener.setAttribute("aria-expanded", "false");
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    show(true);
  });
  opener.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    show(true);
  });
  sheet.querySelector(".close")?.addEventListener("click", (event) => {
    event.preventDefault();
    show(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.querySelector(":popover-open, dialog[open]") === null) show(false);
  });
  document.addEventListener("pointerdown", (event) => {
    if (sheet.classList.contains("open") && event.target instanceof Node && !sheet.contains(event.target)) show(false);
  });
  window.matchMedia("(min-width: 981px)").addEventListener("change", () => show(false));
}

// A long list of pages scrolls: the one we are on comes into sight. (`scrollIntoView` would move where Tab begins.)
const pages = sheet?.querySelector("nav");
const here = pages?.querySelector<HTMLElement>("[aria-current]");
if (pages && here) {
  const below = here.getBoundingClientRect().bottom - pages.getBoundingClientRect().bottom;
  if (below > 0) pages.scrollTop += below + 16;
}

export {};
