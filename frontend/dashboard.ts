/** What the dashboard's pages cannot do without a script: copy buttons, relative times that go on, uploads. */

import "./access/reopen";
import "./access/session";
import "./data/groups";
import "./data/upload";
import "./frame/appearance";
import "./frame/floating";
import "./frame/forms";
import "./frame/people";
import "./frame/pictures";
import "./frame/search";
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

arm();
document.addEventListener("htmx:afterSwap", arm);
document.addEventListener("htmx:afterSettle", mark);
window.setInterval(tick, 5000);
