/** What the dashboard's pages cannot do without a script: copy buttons, relative times that go on, uploads. */

import "./frame/appearance";
import "./frame/floating";
import "./frame/sheet";
import "./frame/toast";

/** Below how many seconds a distance is told in which unit, as `ago` of the server's words has it. */
const STEPS: readonly (readonly [number, number, string])[] = [
  [60, 1, "s"],
  [3_600, 60, "min"],
  [86_400, 3_600, "h"],
  [Infinity, 86_400, "d"],
];

/** Show the copy buttons, which stay hidden where the clipboard cannot be written. */
function arm(): void {
  if (navigator.clipboard === undefined) return;
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy][hidden]")) {
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset["copy"] ?? "")?.textContent ?? "";
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Press Ctrl+C";
      }
      window.setTimeout(() => (button.textContent = label), 1500);
    });
  }
}

/** Return how long ago a moment was, by this machine's clock. */
function ago(at: number): string {
  const seconds = Math.max(0, Math.floor((Date.now() - at) / 1000));
  if (seconds < 1) return "just now";
  const step = STEPS.find(([below]) => seconds < below);
  return step === undefined ? "" : `${Math.floor(seconds / step[1])} ${step[2]} ago`;
}

/** Let the times of messages grow older. */
function tick(): void {
  for (const time of document.querySelectorAll<HTMLTimeElement>(".messages time")) {
    time.textContent = ago(Date.parse(time.dateTime));
  }
}

/** Mark the fields whose error is shown beside them, since a preview replaces the errors alone. */
function mark(): void {
  for (const error of document.querySelectorAll<HTMLElement>(".field-error")) {
    for (const field of document.querySelectorAll(`[aria-describedby="${error.id}"]`)) {
      if (error.textContent) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }
}

interface Refusal {
  error?: { message?: string; hint?: string };
}

interface Taken {
  items: number;
  leftOut: number;
  problems: string[];
}

/** Send the file of a form as it is, and say how far that has come and what became of it. */
function upload(form: HTMLFormElement): void {
  const given = new FormData(form);
  const file = given.get("file");
  const said = form.querySelector("output");
  const button = form.querySelector("button");
  if (!(file instanceof File) || said === null || button === null) return;
  const name = given.get("name");
  let address = form.dataset["upload"] ?? "";
  if (typeof name === "string") {
    const asked = new URLSearchParams({ format: String(given.get("format")), purpose: String(given.get("purpose")) });
    address += `${encodeURIComponent(name)}/file?${asked}`;
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
  request.onerror = () => end("The server does not answer.", true);
  request.onload = () => {
    let answer: Refusal & Partial<Taken> = {};
    try {
      answer = JSON.parse(request.responseText) as Refusal & Partial<Taken>;
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
    end(`${answer.items} items${left}${problems ? `: ${problems}` : ""}.`, false);
    const page = `/dashboard/feeds/${address.split("/")[3] ?? ""}`;
    window.setTimeout(() => window.location.assign(page), problems ? 4000 : 1200);
  };
  button.disabled = true;
  request.open("PUT", address);
  request.setRequestHeader("x-csrf", form.dataset["csrf"] ?? "");
  request.send(file);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset["upload"] === undefined) return;
  event.preventDefault();
  upload(form);
});

arm();
document.addEventListener("htmx:afterSwap", arm);
document.addEventListener("htmx:afterSettle", mark);
window.setInterval(tick, 5000);
