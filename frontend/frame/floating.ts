/** Menus and dialogs for browsers that cannot yet open a dialog by its button, or place a popover beside it. */

const GAP_PX = 5;

if (!("commandForElement" in HTMLButtonElement.prototype)) {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[commandfor]") : null;
    const dialog = document.getElementById(button?.getAttribute("commandfor") ?? "");
    if (button === null || !(dialog instanceof HTMLDialogElement)) return;
    if (button.getAttribute("command") === "close") dialog.close();
    else dialog.showModal();
  });
}

if (!CSS.supports("position-area", "block-end")) {
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = event.target;
      if (!(menu instanceof HTMLElement) || !menu.matches(".menu:popover-open:not(#account-menu)")) return;
      const button = document.querySelector(`[popovertarget="${menu.id}"]`);
      if (button === null) return;
      const at = button.getBoundingClientRect();
      const below = at.bottom + GAP_PX + menu.offsetHeight <= window.innerHeight;
      menu.style.position = "fixed";
      menu.style.inset = "auto";
      menu.style.top = `${below ? at.bottom + GAP_PX : Math.max(GAP_PX, at.top - GAP_PX - menu.offsetHeight)}px`;
      menu.style.left = `${Math.max(GAP_PX, Math.min(at.right, window.innerWidth - GAP_PX) - menu.offsetWidth)}px`;
    },
    true,
  );
}

// A click beside a dialog closes it, as Escape does.
document.addEventListener("pointerdown", (event) => {
  const dialog = event.target;
  if (!(dialog instanceof HTMLDialogElement) || !dialog.open) return;
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  if (event.clientX < left || event.clientX > right || event.clientY < top || event.clientY > bottom) dialog.close();
});

// Arrows walk the items of a menu.
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector<HTMLElement>(".menu:popover-open:not(.hint-text)");
  if (menu === null || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return;
  const items = [...menu.querySelectorAll<HTMLElement>(".menu-item")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const last = items.length - 1;
  const next = { ArrowDown: at === last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, Home: 0, End: last }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items[next]?.focus();
});

export {};
