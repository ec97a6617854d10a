/** Uploads of pictures and fonts: dropped anywhere on the page, pasted, or chosen; each with its progress and its end. */

import { button, capital } from "./frame/parts";
import { type Reply, put } from "./frame/put";

interface Answer {
  readonly path?: string;
  readonly width?: number;
  readonly height?: number;
  readonly bytes?: number;
}

interface Wish {
  readonly scale?: boolean;
  readonly replace?: boolean;
  readonly name?: string;
}

interface Choice {
  readonly label: string;
  readonly act: () => void;
}

const FONT = /\.(woff2?|ttf|otf|ttc|eot)$/i;
const MEGABYTE = 1024 * 1024;

const drop = document.getElementById("drop");
const list = drop?.querySelector<HTMLUListElement>(".uploads");
const chooser = document.getElementById("upload-file");

let running = 0;

function megabytes(bytes: number): string {
  return bytes >= MEGABYTE ? `${(bytes / MEGABYTE).toFixed(1).replace(/\.0$/, "")} MB` : `${Math.max(1, Math.round(bytes / 1024))} KB`;
}

function limit(name: string): number {
  return Number(drop?.dataset[name] ?? 0);
}

/** One file on its way: a line that says how far it is, and what can be done about a problem. */
class Upload {
  private readonly line = document.createElement("li");
  private readonly words = document.createElement("span");
  private readonly bar = document.createElement("progress");
  private readonly actions = document.createElement("span");
  private readonly room: string;

  constructor(private readonly file: File, into: HTMLUListElement) {
    this.room = FONT.test(file.name) || file.type.startsWith("font/") ? "fonts" : "images";
    const name = document.createElement("strong");
    name.textContent = file.name || "Pasted picture";
    this.words.className = "soft grow";
    this.bar.max = 1;
    this.bar.setAttribute("aria-label", `Upload of ${name.textContent}`);
    this.actions.className = "upload-actions";
    this.line.append(name, this.words, this.bar, this.actions);
    into.prepend(this.line);
  }

  /** Check what can be known before anything is sent. */
  begin(): void {
    const most = this.room === "fonts" ? limit("fontBytes") : limit("uploadBytes");
    if (this.file.size > most) {
      const kind = this.room === "fonts" ? "A font may have" : "Pictures are read up to";
      this.refuse(`It has ${megabytes(this.file.size)}. ${kind} ${megabytes(most)}.`);
    } else if (this.room === "images" && this.file.size > limit("pictureBytes") * 4) {
      this.offer(`It has ${megabytes(this.file.size)}. A picture is kept up to ${megabytes(limit("pictureBytes"))}.`);
    } else void this.send({});
  }

  private offer(text: string): void {
    this.refuse(text, [{ label: "Scale it down", act: () => void this.send({ scale: true }) }]);
  }

  private refuse(text: string, choices: readonly Choice[] = []): void {
    this.line.className = choices.length > 0 ? "asks" : "failed";
    this.words.textContent = text;
    this.bar.hidden = true;
    const all = [...choices, { label: choices.length > 0 ? "Cancel" : "Dismiss", act: () => this.line.remove() }];
    this.actions.replaceChildren(...all.map(({ label, act }) => button(label, act)));
  }

  private async send(wish: Wish): Promise<void> {
    const replaces = drop?.dataset["replaces"];
    const name = replaces ?? wish.name ?? (this.file.name || "pasted.png");
    const room = replaces ? (drop?.dataset["room"] ?? this.room) : this.room;
    const query = new URLSearchParams();
    if (wish.scale) query.set("scale", "1");
    if (replaces !== undefined || wish.replace) query.set("replace", "1");
    const again: Choice = { label: "Try again", act: () => void this.send(wish) };
    running += 1;
    this.line.className = "";
    this.bar.hidden = false;
    this.bar.value = 0;
    this.words.textContent = "Waiting …";
    this.actions.replaceChildren();
    try {
      const address = `/dashboard/media/${room}/${encodeURIComponent(name)}?${query}`;
      this.end(await put<Answer>(address, drop?.dataset["csrf"] ?? "", this.file, (loaded, total) => this.progress(loaded, total)), wish, again);
    } catch {
      this.refuse("The connection was lost. Nothing was saved.", [again]);
    } finally {
      running -= 1;
    }
  }

  private progress(loaded: number, total: number): void {
    this.bar.value = loaded / total;
    this.words.textContent = loaded < total ? `${megabytes(loaded)} of ${megabytes(total)}` : "Reading it …";
  }

  private end({ status, ended, answer }: Reply<Answer>, wish: Wish, again: Choice): void {
    if (ended) {
      this.refuse("Your session has ended. Sign in in another tab, then try again.", [again]);
      return;
    }
    if (status !== 200) {
      const { message, hint, where } = answer.error ?? {};
      const said = message ?? `The server answered ${status}`;
      const text = `${capital(said)}${hint && where === undefined ? `: ${hint}` : ""}.`;
      if (where === "scale") this.offer(text);
      else if (where === "name") this.refuse(text, this.names(wish, said, hint ?? ""));
      else this.refuse(text, status >= 500 ? [again] : []);
      return;
    }
    const size = answer.width ? `${answer.width.toLocaleString("en")} × ${answer.height?.toLocaleString("en")}, ` : "";
    this.line.className = "done";
    this.bar.hidden = true;
    this.words.textContent = `Saved as ${answer.path?.split("/")[1] ?? "a file"} (${size}${megabytes(answer.bytes ?? 0)})`;
    if (drop?.dataset["replaces"] !== undefined) window.location.reload();
    else document.body.dispatchEvent(new Event("media-changed"));
  }

  /** The ways out when there is a file with that name: to replace it, or another name, which the server proposes. */
  private names(wish: Wish, said: string, hint: string): Choice[] {
    const taken = /called (\S+)$/.exec(said)?.[1];
    const free = /call this one (\S+)$/.exec(hint)?.[1];
    return [
      ...(taken ? [{ label: "Replace it", act: () => void this.send({ ...wish, replace: true, name: taken }) }] : []),
      ...(free ? [{ label: "Keep both", act: () => void this.send({ ...wish, name: free }) }] : []),
    ];
  }
}

function take(files: Iterable<File>): void {
  if (list === null || list === undefined) return;
  const only = drop?.dataset["replaces"] !== undefined;
  for (const file of only ? [...files].slice(0, 1) : files) new Upload(file, list).begin();
}

function brings(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

if (drop !== null) {
  let depth = 0;
  const lit = (on: boolean): void => void document.body.classList.toggle("dropping", on);
  document.addEventListener("dragenter", (event) => {
    if (brings(event)) lit(++depth > 0);
  });
  document.addEventListener("dragleave", (event) => {
    if (brings(event)) lit(--depth > 0);
  });
  document.addEventListener("dragover", (event) => {
    if (brings(event)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    lit((depth = 0) > 0);
    take(event.dataTransfer?.files ?? []);
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (files && files.length > 0) take(files);
  });
  chooser?.addEventListener("change", () => {
    if (!(chooser instanceof HTMLInputElement)) return;
    take([...(chooser.files ?? [])]);
    chooser.value = "";
  });
  window.addEventListener("beforeunload", (event) => {
    if (running > 0) event.preventDefault();
  });
}
