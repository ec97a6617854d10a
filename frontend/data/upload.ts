/** Files of feeds: dropped or chosen, sent as they are, with progress and the result. */

import { capital } from "../frame/parts";
import { put } from "../frame/put";

interface Answer {
  readonly items?: number;
  readonly leftOut?: number;
  readonly problems?: string[];
  readonly id?: string;
}

/** Return the format that a file's name and first bytes reveal, as the server calls it. */
async function formatOf(file: File): Promise<string> {
  const start = (await file.slice(0, 4096).text()).replaceAll("\0", "").trimStart();
  if (start.startsWith("<")) {
    const root = /<(?:\w+:)?([A-Za-z]\w*)/.exec(start.replace(/<\?[^>]*>|<!--[^]*?-->/g, ""))?.[1]?.toLowerCase() ?? "";
    if (!["rss", "feed", "rdf"].includes(root)) return "xml";
    if (start.includes("base.google.com")) return "merchant";
    return root === "feed" ? "atom" : "rss";
  }
  if (/^[[{]/.test(start)) return /^\{[^\n]*\}\s*\n\s*\{/.test(start) ? "jsonl" : "json";
  return "csv";
}

/** Return the file name that suits a title. */
function handleOf(title: string): string {
  const plain = title.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64) || "feed";
}

/** Send the file of a form, report its progress in the form, and return the answer; null after an error, which it reports. */
async function sent(form: HTMLFormElement, file: File, address: string): Promise<Answer | null> {
  const said = form.querySelector("output");
  const button = form.querySelector<HTMLButtonElement>("button:not([type='button'])");
  if (said === null || button === null) return null;
  const report = (text: string, look: string): null => {
    said.textContent = text;
    said.className = look;
    return null;
  };
  button.disabled = true;
  try {
    const { status, answer } = await put<Answer>(address, form.dataset["csrf"] ?? "", file, (loaded, total) => {
      report(loaded < total ? `${Math.round((100 * loaded) / total)}% sent` : "Reading it …", "soft");
    });
    if (status === 200) return answer;
    const { message, hint } = answer.error ?? {};
    return report([message ?? `The server answered ${status}`, ...(hint ? [hint] : [])].map((part) => `${capital(part)}.`).join(" "), "error");
  } catch {
    return report("The server does not answer. Your file is still here: try again.", "error");
  } finally {
    button.disabled = false;
  }
}

/** Send the file of a feed, and go on to the feed's page, or to the form of a new one. */
async function upload(form: HTMLFormElement): Promise<void> {
  const given = new FormData(form);
  const file = given.get("file");
  const said = form.querySelector("output");
  if (!(file instanceof File) || said === null) return;
  let address = form.dataset["upload"] ?? "";
  let then = form.dataset["then"] ?? "";
  const title = given.get("title");
  if (typeof title === "string") {
    const contents = String(given.get("contents"));
    const asked = new URLSearchParams({
      format: String(given.get("format") || (await formatOf(file))),
      purpose: contents === "catalog" ? "catalog" : "data",
      title,
      look: "",
    });
    then = `/dashboard/feeds/${handleOf(title)}/edit?new&contents=${contents}`;
    address += `${handleOf(title)}/file?${asked}`;
  }
  const answer = await sent(form, file, address);
  if (answer === null) return;
  const left = answer.leftOut ? `, ${answer.leftOut} left out` : "";
  const problems = (answer.problems ?? []).slice(0, 3).join("; ");
  said.className = "done";
  said.textContent = typeof title === "string" ? "Uploaded." : `${answer.items ?? 0} items${left}${problems ? `: ${problems}` : ""}.`;
  window.setTimeout(() => window.location.assign(then), problems && typeof title !== "string" ? 4000 : 600);
}

declare const htmx: { ajax(verb: string, path: string, how: { target: string; swap: string }): Promise<void> };

/** Send a file of products, then show how far its import is. */
async function bring(form: HTMLFormElement): Promise<void> {
  const given = new FormData(form);
  const file = given.get("file");
  if (!(file instanceof File)) return;
  const asked = new URLSearchParams({ name: file.name, ...(given.get("complete") ? { complete: "" } : {}) });
  const answer = await sent(form, file, `${form.dataset["import"] ?? ""}?${asked}`);
  if (answer === null) return;
  form.querySelector("output")?.replaceChildren();
  void htmx.ajax("get", `/dashboard/catalog/imports/${answer.id ?? ""}`, { target: "#imported", swap: "outerHTML" });
}

/** Show the name of the chosen file in its zone. */
function chosen(zone: HTMLElement, file: File | undefined): void {
  const label = zone.querySelector("span");
  if (label === null || file === undefined) return;
  const size = file.size < 1_000_000 ? `${Math.ceil(file.size / 1000)} KB` : `${(file.size / 1_000_000).toFixed(1)} MB`;
  label.textContent = `${file.name}, ${size}`;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  if (form.dataset["upload"] === undefined && form.dataset["import"] === undefined) return;
  event.preventDefault();
  void (form.dataset["import"] === undefined ? upload(form) : bring(form));
});

for (const name of ["dragover", "dragleave", "drop"] as const) {
  document.addEventListener(name, (event) => {
    const zone = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-drop]") : null;
    if (zone === null) return;
    event.preventDefault();
    zone.classList.toggle("over", name === "dragover");
    const input = zone.querySelector<HTMLInputElement>("input[type=file]");
    if (name !== "drop" || input === null || !event.dataTransfer?.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

document.addEventListener("change", (event) => {
  const input = event.target;
  if (!(input instanceof HTMLInputElement) || input.type !== "file") return;
  const zone = input.closest<HTMLElement>("[data-drop]");
  if (zone !== null) chosen(zone, input.files?.[0]);
});

// What somebody is typing while an answer arrives stays: the next change asks again.
document.addEventListener("htmx:beforeSwap", (event) => {
  const typing = document.activeElement;
  if (!(typing instanceof HTMLInputElement) || typing.type !== "text" || typing.value === typing.defaultValue) return;
  if (typing.closest("#sample") === null || !(event instanceof CustomEvent)) return;
  (event.detail as { shouldSwap: boolean }).shouldSwap = false;
});
