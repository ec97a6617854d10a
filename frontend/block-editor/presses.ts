/** Buttons pressed one after the other: an answer draws the form anew, and a press on the old one would be lost. */

/** After an answer, htmx takes its time until it knows the new buttons. */
const SETTLED_MS = 50;

interface Answered {
  requestConfig: { elt: Element };
  successful: boolean;
}

const acts = (each: EventTarget | null): each is HTMLButtonElement => each instanceof HTMLButtonElement && each.name === "do";

/** Let each press wait for the answer to the one before it. */
export function presses(form: HTMLFormElement): void {
  const waiting: string[] = [];
  let busy = false;
  form.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element ? event.target.closest("button") : null;
      if (!busy || !acts(button)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      waiting.push(button.value);
    },
    true,
  );
  form.addEventListener("htmx:confirm", ({ target }) => {
    if (acts(target)) busy = true;
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    const { requestConfig, successful } = (event as CustomEvent<Answered>).detail;
    if (!acts(requestConfig.elt)) return;
    if (!successful) {
      busy = false;
      return;
    }
    window.setTimeout(() => {
      busy = false;
      const next = waiting.shift();
      if (next !== undefined) form.querySelector<HTMLButtonElement>(`button[name="do"][value="${CSS.escape(next)}"]`)?.click();
    }, SETTLED_MS);
  });
}
