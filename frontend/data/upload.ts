/** Files of feeds: dropped or chosen, sent as they are, with progress and the result. */

interface Answer {
  error?: { message?: string; hint?: string };
  items?: number;
  leftOut?: number;
  problems?: string[];
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

/** Send the file of a form as it is, and say how far that has come and what became of it. */
async function upload(form: HTMLFormElement): Promise<void> {
  const given = new FormData(form);
  const file = given.get("file");
  const said = form.querySelector("output");
  const button = form.querySelector<HTMLButtonElement>("button:not([type='button'])");
  if (!(file instanceof File) || said === null || button === null) return;
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
  const request = new XMLHttpRequest();
  const end = (text: string, wrong: boolean): void => {
    said.textContent = text;
    said.className = wrong ? "error" : "done";
    button.disabled = false;
  };
  request.upload.onprogress = ({ loaded, total }) => {
    said.className = "soft";
    said.textContent = loaded < total ? `${Math.round((100 * loaded) / total)}% sent` : "Reading it …";
  };
  request.onerror = () => end("The server does not answer. Your file is still here: try again.", true);
  request.onload = () => {
    let answer: Answer = {};
    try {
      answer = JSON.parse(request.responseText) as Answer;
    } catch {
      // what the server said is no answer of ours: the status alone counts
    }
    if (request.status !== 200) {
      const { message, hint } = answer.error ?? {};
      end(`${message ?? `The server answered ${request.status}.`}${hint ? ` (${hint})` : ""}`, true);
      return;
    }
    const left = answer.leftOut ? `, ${answer.leftOut} left out` : "";
    const problems = (answer.problems ?? []).slice(0, 3).join("; ");
    end(typeof title === "string" ? "Uploaded." : `${answer.items ?? 0} items${left}${problems ? `: ${problems}` : ""}.`, false);
    window.setTimeout(() => window.location.assign(then), problems && typeof title !== "string" ? 4000 : 600);
  };
  button.disabled = true;
  request.open("PUT", address);
  request.setRequestHeader("x-csrf", form.dataset["csrf"] ?? "");
  request.send(file);
}

declare const htmx: { ajax(verb: string, path: string, how: { target: string; swap: string }): Promise<void> };

/** Send a file of products, then show how far its import is. */
function bring(form: HTMLFormElement): void {
  const given = new FormData(form);
  const file = given.get("file");
  const said = form.querySelector("output");
  const button = form.querySelector<HTMLButtonElement>("button:not([type='button'])");
  if (!(file instanceof File) || said === null || button === null) return;
  const asked = new URLSearchParams({ name: file.name, ...(given.get("complete") ? { complete: "" } : {}) });
  const request = new XMLHttpRequest();
  const end = (text: string, look: string): void => {
    said.textContent = text;
    said.className = look;
    button.disabled = false;
  };
  request.upload.onprogress = ({ loaded, total }) => {
    said.className = "soft";
    said.textContent = `${Math.round((100 * loaded) / total)}% sent`;
  };
  request.onerror = () => end("The server does not answer. Your file is still here: try again.", "error");
  request.onload = () => {
    let answer: Answer & { id?: string } = {};
    try {
      answer = JSON.parse(request.responseText) as Answer & { id?: string };
    } catch {
      // what the server said is no answer of ours: the status alone counts
    }
    if (answer.id === undefined) {
      const { message, hint } = answer.error ?? {};
      end(`${message ?? `The server answered ${request.status}.`}${hint ? ` (${hint})` : ""}`, "error");
      return;
    }
    end("", "soft");
    void htmx.ajax("get", `/dashboard/catalog/imports/${answer.id}`, { target: "#imported", swap: "outerHTML" });
  };
  button.disabled = true;
  request.open("PUT", `${form.dataset["import"] ?? ""}?${asked}`);
  request.setRequestHeader("x-csrf", form.dataset["csrf"] ?? "");
  request.send(file);
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
  if (form.dataset["import"] === undefined) void upload(form);
  else bring(form);
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

export {};
