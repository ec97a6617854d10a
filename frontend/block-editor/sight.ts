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

const LATER_MS = 500;
let turn = 0;

/** Give pictures their new addresses: the large one at once, the others when it is there, unless a newer one comes. */
function load(old: HTMLImageElement[], fresh: HTMLImageElement[]): void {
  const mine = ++turn;
  const go = (image: HTMLImageElement, at: number): void => {
    const address = fresh[at]?.getAttribute("src") ?? "";
    if (image.getAttribute("src") !== address) image.src = address;
  };
  const large = (image: HTMLImageElement): boolean => image.closest(".frame.light") !== null;
  old.forEach((image, at) => large(image) && go(image, at));
  let begun = false;
  const rest = (): void => {
    if (begun || mine !== turn) return;
    begun = true;
    old.forEach((image, at) => large(image) || go(image, at));
  };
  const first = old.find(large);
  first?.addEventListener("load", rest, { once: true });
  window.setTimeout(rest, first === undefined ? 0 : LATER_MS);
}

/** Take over new addresses of pictures without drawing the frames again. */
export function sight(): void {
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
    });
    load(old, fresh);
    sized();
  });
  document.addEventListener("htmx:oobAfterSwap", sized);
  const shown = (image: HTMLImageElement, there: boolean): void => {
    image.classList.toggle("lost", !there);
    const said = document.getElementById("lost");
    if (said === null || image.closest(".frame.light") === null) return;
    said.hidden = there;
    if (there) return;
    void fetch(image.src).then(async (answer) => {
      if (answer.status === 404) said.textContent = `This cannot be drawn: ${await answer.text()}`;
    });
  };
  document.addEventListener("load", ({ target }) => target instanceof HTMLImageElement && shown(target, true), true);
  document.addEventListener("error", ({ target }) => target instanceof HTMLImageElement && shown(target, false), true);
  sized();
}
