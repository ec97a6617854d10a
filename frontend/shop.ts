// The shop's page: the real Segment browser SDK, a cart that lives in the browser, and a log-in.

import { AnalyticsBrowser } from "@segment/analytics-next";

interface Product {
  sku: string;
  name: string;
  price: number;
  currency: string;
  url: string;
  image_url: string;
}

interface Page {
  kind: "home" | "list" | "search" | "product" | "none";
  catalog: Record<string, Product>;
  product?: Product;
  id?: string;
  category?: string;
  products?: Product[];
  query?: string;
}

interface Shopper {
  email: string;
  first: string;
}

const CART = "tidewick.cart";
const SHOPPER = "tidewick.shopper";

const source = need<HTMLScriptElement>("page");
const page = JSON.parse(source.textContent ?? "{}") as Page;
const analytics = AnalyticsBrowser.load(
  { writeKey: source.dataset.key ?? "", cdnURL: location.origin },
  {
    integrations: {
      "Segment.io": { apiHost: `${location.host}/v1`, protocol: location.protocol === "https:" ? "https" : "http" },
    },
  },
);

function need<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as T;
}

function kept<T>(name: string, otherwise: T): T {
  try {
    return (JSON.parse(localStorage.getItem(name) ?? "null") as T | null) ?? otherwise;
  } catch {
    return otherwise;
  }
}

const dollars = (amount: number): string => `$${Number.isInteger(amount) ? amount : amount.toFixed(2)}`;
const cart = (): string[] => kept<string[]>(CART, []).filter((sku) => sku in page.catalog);
const shopper = (): Shopper | null => kept<Shopper | null>(SHOPPER, null);

function counted(skus: string[]): Array<Product & { quantity: number }> {
  return [...new Set(skus)].map((sku) => ({
    ...page.catalog[sku],
    quantity: skus.filter((other) => other === sku).length,
  }));
}

// --- what is sent -------------------------------------------------------------------------------------------------

async function tell(event?: string): Promise<void> {
  const anonymousId = (await analytics.user()).anonymousId();
  window.parent.postMessage({ from: "tidewick", event, anonymousId, shopper: shopper() }, location.origin);
}

async function track(event: string, properties: object): Promise<void> {
  await analytics.track(event, properties as Record<string, unknown>);
  await tell(event);
}

async function arrive(): Promise<void> {
  await analytics.page();
  if (page.kind === "product" && page.product) await track("Product Viewed", page.product);
  else if (page.kind === "list")
    await track("Product List Viewed", { list_id: page.id, category: page.category, products: page.products });
  else if (page.kind === "search") await track("Products Searched", { query: page.query });
  else await tell();
}

// --- the cart -----------------------------------------------------------------------------------------------------

function put(skus: string[]): void {
  localStorage.setItem(CART, JSON.stringify(skus));
  draw();
}

function draw(): void {
  const skus = cart();
  const lines = counted(skus);
  const list = need("lines");
  const pattern = need<HTMLTemplateElement>("line");
  need("many").textContent = String(skus.length);
  list.replaceChildren(
    ...lines.map((line) => {
      const row = pattern.content.cloneNode(true) as DocumentFragment;
      const [picture, link, text, drop] = ["img", "a", "p", "button"].map((name) => row.querySelector(name)!);
      (picture as HTMLImageElement).src = new URL(line.image_url).pathname;
      (link as HTMLAnchorElement).href = new URL(line.url).pathname;
      link.textContent = line.name;
      text.textContent = line.quantity > 1 ? `${line.quantity} × ${dollars(line.price)}` : dollars(line.price);
      drop.setAttribute("aria-label", `Remove ${line.name}`);
      drop.addEventListener("click", () => {
        const rest = cart();
        rest.splice(rest.indexOf(line.sku), 1);
        put(rest);
        void track("Product Removed", { ...line, quantity: 1 });
      });
      return row;
    }),
  );
  need("empty").hidden = lines.length > 0;
  need("sum").hidden = lines.length === 0;
  need("total").textContent = dollars(total(lines));
}

function total(lines: Array<{ price: number; quantity: number }>): number {
  return Math.round(lines.reduce((sum, line) => sum + line.price * line.quantity, 0) * 100) / 100;
}

async function order(): Promise<void> {
  const products = counted(cart());
  const value = total(products);
  const money = { order_id: `T-${Date.now().toString(36)}`, value, revenue: value, currency: "USD", products };
  put([]);
  need<HTMLDialogElement>("cart").close();
  say("Thank you. Your order is on its way.");
  await track("Checkout Started", money);
  await track("Order Completed", { ...money, total: value });
}

// --- who it is ----------------------------------------------------------------------------------------------------

function greet(): void {
  const who = shopper();
  need("account").textContent = who ? `${who.first} · log out` : "Log in";
}

async function logIn(form: HTMLFormElement): Promise<void> {
  const given = new FormData(form);
  const first = String(given.get("first")).trim();
  const answer = await fetch("/demo/account", { method: "POST", body: JSON.stringify({ email: given.get("email") }) });
  const account = (await answer.json()) as { userId?: string; email?: string; error?: string };
  const wrong = need("wrong");
  wrong.hidden = answer.ok;
  if (!answer.ok || !account.userId || !account.email) {
    wrong.textContent = account.error ?? "That did not work.";
    return;
  }
  await analytics.identify(account.userId, { email: account.email, firstName: first });
  localStorage.setItem(SHOPPER, JSON.stringify({ email: account.email, first }));
  need<HTMLDialogElement>("login").close();
  greet();
  say(`Hello, ${first}.`);
  await tell("identify");
}

async function logOut(): Promise<void> {
  await analytics.reset();
  localStorage.removeItem(SHOPPER);
  put([]);
  greet();
  say("You are a stranger again.");
  await tell();
}

// --- the page -----------------------------------------------------------------------------------------------------

let quiet = 0;

function say(text: string): void {
  const toast = need("toast");
  toast.textContent = text;
  toast.hidden = false;
  window.clearTimeout(quiet);
  quiet = window.setTimeout(() => (toast.hidden = true), 2600);
}

need("bag").addEventListener("click", () => {
  need<HTMLDialogElement>("cart").showModal();
  void track("Cart Viewed", { products: counted(cart()) });
});
need("order").addEventListener("click", () => void order());
need("account").addEventListener("click", () => {
  if (shopper()) void logOut();
  else need<HTMLDialogElement>("login").showModal();
});
need("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  void logIn(event.target as HTMLFormElement);
});
for (const button of document.querySelectorAll("[data-close]"))
  button.addEventListener("click", () => button.closest("dialog")?.close());
for (const dialog of document.querySelectorAll("dialog"))
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
document.getElementById("add")?.addEventListener("click", () => {
  if (!page.product) return;
  put([...cart(), page.product.sku]);
  say(`${page.product.name} is in your cart.`);
  void track("Product Added", page.product);
});
document.getElementById("wish")?.addEventListener("click", () => {
  if (!page.product) return;
  say(`${page.product.name} is saved for later.`);
  void track("Product Added to Wishlist", page.product);
});

draw();
greet();
void arrive();
