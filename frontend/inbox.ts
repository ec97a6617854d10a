// The inbox: whose email is open, when it was opened, and what has happened since.

interface Word {
  from: "tidewick";
  event?: string;
  anonymousId?: string | null;
  shopper: { email: string; first: string } | null;
}

interface Reason {
  shown: string[];
  variant: string;
  why: string;
  more: string;
}

const find = <T extends Element>(query: string): T => {
  const element = document.querySelector<T>(query);
  if (!element) throw new Error(`the page has no ${query}`);
  return element;
};

const email = find<HTMLIFrameElement>("#email");
const boxes = [...document.querySelectorAll<HTMLButtonElement>(".box")];
const mine = find<HTMLButtonElement>("[data-you]");
let chosen = mine;
let since = 0;
let shown = "";

function open(): void {
  const to = chosen.dataset.to;
  if (!to) return;
  since = 0;
  news();
  shown = to;
  find("#to").textContent = chosen.dataset.name ?? "you";
  find("#opened").textContent = "Opening…";
  // A new document each time, as when a mail reader opens a message: its pictures are asked for anew.
  email.src = `/demo/email?to=${encodeURIComponent(to)}`;
}

async function opened(): Promise<void> {
  if (!shown || !email.contentDocument?.images.length) return;
  const time = new Date().toLocaleTimeString("en-US", { hour: "numeric", minute: "2-digit", second: "2-digit" });
  const story = chosen.dataset.story;
  find("#opened").textContent = `Opened at ${time}${story ? ` · ${story}` : ""}`;
  find<HTMLElement>("#email").dataset.opened = String(Date.now());
  const to = shown;
  const answer = await fetch(`/demo/why?to=${encodeURIComponent(to)}`);
  if (!answer.ok || to !== shown) return;
  const reason = (await answer.json()) as Reason;
  const what = reason.shown.length ? reason.shown.join(", ") : "the default banner";
  find("#reason").textContent = `The top picture shows ${what}.`;
  const link = find<HTMLAnchorElement>("#why");
  link.href = reason.more;
  link.title = reason.why;
}

function news(): void {
  const badge = find<HTMLElement>("#news");
  badge.hidden = since === 0;
  badge.textContent = String(since);
  badge.setAttribute("aria-label", `${since} new events`);
  find<HTMLElement>(".dot").hidden = since === 0;
}

function choose(box: HTMLButtonElement): void {
  chosen = box;
  for (const each of boxes) each.setAttribute("aria-pressed", String(each === box));
  open();
}

function show(pane: "shop" | "mail"): void {
  find<HTMLElement>(".panes").dataset.show = pane;
  find("#tab-shop").setAttribute("aria-selected", String(pane === "shop"));
  find("#tab-mail").setAttribute("aria-selected", String(pane === "mail"));
}

window.addEventListener("message", (message: MessageEvent<Word>) => {
  if (message.origin !== location.origin || message.data?.from !== "tidewick") return;
  const { event, anonymousId, shopper } = message.data;
  const before = mine.dataset.to;
  if (shopper) {
    mine.dataset.to = `email:${shopper.email}`;
    mine.dataset.name = shopper.email;
    mine.dataset.story = "";
  } else if (anonymousId) {
    mine.dataset.to = `anonymous:${anonymousId}`;
    mine.dataset.name = "you, an anonymous visitor";
  }
  mine.querySelector(".face")!.textContent = shopper ? shopper.first.slice(0, 1).toUpperCase() : "Y";
  mine.querySelector(".who")!.textContent = shopper ? shopper.first : "You";
  if (event) mine.dataset.heard = String(Number(mine.dataset.heard ?? 0) + 1);
  if (chosen !== mine) return;
  if (event) since += 1;
  news();
  if (before !== mine.dataset.to) open();
});

for (const box of boxes) box.addEventListener("click", () => choose(box));
find("#again").addEventListener("click", open);
find("#tab-shop").addEventListener("click", () => show("shop"));
find("#tab-mail").addEventListener("click", () => show("mail"));
email.addEventListener("load", () => void opened());
find("#shop").addEventListener("load", () => show("shop"));
