/** The pictures: each change gives them new addresses, and the old picture stays until the new one is there. */

interface Swap {
  target: Element;
  fragment: DocumentFragment | Element;
  shouldSwap: boolean;
}

/** Tell the styles how wide the block is, so that it fills its share of an email. */
function sized(): void {
  for (const image of document.querySelectorAll<HTMLImageElement>("#frames img")) {
    image.style.setProperty("--block", String(image.getAttribute("width") ?? 600));
  }
}

/** Take over new addresses of pictures without drawing the frames again. */
export function sight(form: HTMLFormElement): void {
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = (event as CustomEvent<Swap>).detail;
    if (target.id !== "frames") return;
    const old = [...target.querySelectorAll("img")];
    const fresh = [...fragment.querySelectorAll<HTMLImageElement>("#frames img")];
    if (old.length === 0 || old.length !== fresh.length) return;
    (event as CustomEvent<Swap>).detail.shouldSwap = false;
    old.forEach((image, at) => {
      const next = fresh[at];
      if (next === undefined) return;
      image.width = next.width;
      image.height = next.height;
      image.alt = next.alt;
      const address = next.getAttribute("src") ?? "";
      if (image.getAttribute("src") !== address) image.src = address;
    });
    sized();
  });
  document.addEventListener("htmx:oobAfterSwap", sized);
  const shown = (image: HTMLImageElement, there: boolean): void => {
    image.classList.toggle("lost", !there);
    if (there) form.dataset["drawn"] = String(Date.now());
  };
  document.addEventListener("load", ({ target }) => target instanceof HTMLImageElement && shown(target, true), true);
  document.addEventListener("error", ({ target }) => target instanceof HTMLImageElement && shown(target, false), true);
  sized();
}
