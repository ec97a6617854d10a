/** Uploads of pictures and fonts: dropped anywhere on the page, pasted, or chosen; each with its progress and its end. */

interface Answer {
  path?: string;
  width?: number;
  height?: number;
  bytes?: number;
  message?: string;
  error?: { message?: string; hint?: string; where?: string };
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
    } else this.send({});
  }

  private offer(text: string): void {
    this.refuse(text, [{ label: "Scale it down", act: () => this.send({ scale: true }) }]);
  }

  private refuse(text: string, choices: readonly Choice[] = []): void {
    this.line.className = choices.length > 0 ? "asks" : "failed";
    this.words.textContent = text;
    this.bar.hidden = true;
    const all = [...choices, { label: choices.length > 0 ? "Cancel" : "Dismiss", act: () => this.line.remove() }];
    this.actions.replaceChildren(
      ...all.map(({ label, act }) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "button small";
        button.textContent = label;
        button.addEventListener("click", act);
        return button;
      }),
    );
  }

  private send(wish: Wish): void {
    const replaces = drop?.dataset["replaces"];
    const name = replaces ?? wish.name ?? (this.file.name || "pasted.png");
    const query = new URLSearchParams();
    if (wish.scale) query.set("scale", "1");
    if (replaces !== undefined || wish.replace) query.set("replace", "1");
    const request = new XMLHttpRequest();
    request.open("PUT", `/dashboard/media/${replaces ? (drop?.dataset["room"] ?? this.room) : this.room}/${encodeURIComponent(name)}?${query}`);
    request.setRequestHeader("x-csrf", drop?.dataset["csrf"] ?? "");
    request.upload.onprogress = ({ loaded, total }) => {
      this.bar.value = loaded / total;
      this.words.textContent = loaded < total ? `${megabytes(loaded)} of ${megabytes(total)}` : "Reading it …";
    };
    const again: Choice = { label: "Try again", act: () => this.send(wish) };
    request.onloadend = () => (running -= 1);
    request.onerror = () => this.refuse("The connection was lost. Nothing was saved.", [again]);
    request.onload = () => this.ended(request, wish, again);
    running += 1;
    this.line.className = "";
    this.bar.hidden = false;
    this.bar.value = 0;
    this.words.textContent = "Waiting …";
    this.actions.replaceChildren();
    request.send(this.file);
  }

  private ended(request: XMLHttpRequest, wish: Wish, again: Choice): void {
    if (request.status === 401 || request.responseURL.includes("/dashboard/login")) {
      this.refuse("Your session has ended. Sign in in another tab, then try again.", [again]);
      return;
    }
    let answer: Answer = {};
    try {
      answer = JSON.parse(request.responseText) as Answer;
    } catch {
      // what a proxy says is no answer of ours: the status alone counts
    }
    if (request.status !== 200) {
      const { message, hint, where } = answer.error ?? {};
      const said = message ?? `The server answered ${request.status}`;
      const text = `${said.charAt(0).toUpperCase()}${said.slice(1)}${hint && where === undefined ? `: ${hint}` : ""}.`;
      if (where === "scale") this.offer(text);
      else if (where === "name") this.refuse(text, this.names(wish, said, hint ?? ""));
      else this.refuse(text, request.status >= 500 ? [again] : []);
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
      ...(taken ? [{ label: "Replace it", act: () => this.send({ ...wish, replace: true, name: taken }) }] : []),
      ...(free ? [{ label: "Keep both", act: () => this.send({ ...wish, name: free }) }] : []),
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

export {};
