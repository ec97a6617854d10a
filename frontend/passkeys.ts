/** Passkeys: a form asks the server for options, lets the browser answer, and is sent with the answer. */

interface Asked {
  challenge: string;
  options: PublicKeyCredentialCreationOptionsJSON & PublicKeyCredentialRequestOptionsJSON;
}

interface Refusal {
  error?: { message?: string; hint?: string; where?: string };
}

const WORDS: Readonly<Record<string, string>> = {
  NotAllowedError: "No passkey was used. Try again, or choose another way.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys do not work at this address. Open the dashboard at its own address.",
  TypeError: "The server does not answer. Try again in a moment.",
};

/** Whether this browser can read the options as the server writes them. */
function able(): boolean {
  return typeof PublicKeyCredential !== "undefined" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
}

/** Return the server's options for a form. A refusal of the server becomes an error with its words. */
async function ask(form: HTMLFormElement): Promise<Asked> {
  const fields = new URLSearchParams();
  for (const name of ["csrf", "after"]) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement) fields.set(name, field.value);
  }
  const answer = await fetch(form.dataset["ask"] ?? "", { method: "POST", body: fields });
  const found = (await answer.json()) as Asked & Refusal;
  if (answer.ok) return found;
  const { message = "", hint = "", where = "" } = found.error ?? {};
  if (where.startsWith("/dashboard/")) {
    window.location.assign(`${where}?${new URLSearchParams({ next: window.location.pathname })}`);
  }
  throw new Refused(`${message.charAt(0).toUpperCase()}${message.slice(1)}${hint ? `: ${hint}` : ""}.`);
}

class Refused extends Error {}

/** Let the browser make a passkey, or use one. */
async function answered(kind: string | undefined, options: Asked["options"]): Promise<string> {
  const credential =
    kind === "new"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return JSON.stringify((credential as PublicKeyCredential).toJSON());
}

function put(form: HTMLFormElement, name: string, value: string): void {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.value = value;
}

/** Ask, answer and send. What goes wrong is said in the form. */
async function go(form: HTMLFormElement): Promise<void> {
  const button = form.querySelector("button");
  const said = form.querySelector<HTMLElement>("[role=alert]");
  const say = (text: string): void => {
    if (said === null) return;
    said.textContent = text;
    said.hidden = text === "";
  };
  say("");
  if (button !== null) button.disabled = true;
  try {
    const asked = await ask(form);
    put(form, "answer", await answered(form.dataset["passkey"], asked.options));
    put(form, "challenge", asked.challenge);
    form.submit();
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    say(error instanceof Refused ? error.message : (WORDS[name] ?? "The passkey did not work. Try again."));
    if (button !== null) button.disabled = false;
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
  const origin = form.dataset["origin"] ?? "";
  const here = origin === window.location.origin;
  form.hidden = !here || !able();
  for (const each of document.querySelectorAll<HTMLElement>("[data-with-passkeys]")) each.hidden &&= form.hidden;
  const why = document.querySelector<HTMLElement>("[data-without-passkeys]");
  if (form.hidden && why !== null) {
    why.textContent = here ? "This browser has no passkeys." : `Open the dashboard at ${origin} to use passkeys.`;
    why.hidden = false;
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void go(form);
  });
}

export {};
