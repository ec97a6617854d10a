/** Small pictures in lists that do not come: asked for once more, then shown as missing instead of as the browser's torn one. */

const SMALL = "main img:is([loading=lazy], .small-thumb)";
const AGAIN_MS = 3_000;

const asked = new WeakSet<HTMLImageElement>();

/** Ask for a picture once more, for a server may have been busy; then show that there is none. */
function mend(image: HTMLImageElement): void {
  const address = image.currentSrc || image.src;
  if (asked.has(image)) {
    image.classList.add("missing");
    return;
  }
  asked.add(image);
  window.setTimeout(() => {
    if (image.isConnected && (image.currentSrc || image.src) === address) image.src = address;
  }, AGAIN_MS);
}

// What failed before this script was there is complete, and has no size.
for (const each of document.querySelectorAll<HTMLImageElement>(SMALL)) if (each.complete && each.naturalWidth === 0) mend(each);
// An error does not bubble, but it can be captured.
document.addEventListener(
  "error",
  ({ target }) => {
    if (target instanceof HTMLImageElement && target.matches(SMALL)) mend(target);
  },
  true,
);

export {};
