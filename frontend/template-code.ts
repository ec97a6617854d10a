/** The template editor: code with completion and marked mistakes, beside the picture that the server draws of it. */
import { autocompletion } from "@codemirror/autocomplete";
import { cssCompletionSource } from "@codemirror/lang-css";
import { html, htmlCompletionSource } from "@codemirror/lang-html";
import { closePercentBrace, liquid } from "@codemirror/lang-liquid";
import { yaml } from "@codemirror/lang-yaml";
import { setDiagnostics } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { later } from "./frame/later";
import { button, capital } from "./frame/parts";
import { BASICS, KEYS } from "./template-editor/basics";
import { type Words, liquidWords, outside } from "./template-editor/words";

type Name = "template" | "companion";

interface Problem {
  file: Name | "picture";
  severity: "error" | "warning";
  message: string;
  start: number;
  end: number;
  line: number;
}

interface Tried {
  problems: Problem[];
  picture: string;
  weight: string;
  note: string;
  fields: string;
  keys: string;
}

interface Saved {
  revision?: number;
  companionRevision?: number;
  error?: { message?: string; hint?: string };
}

const PAUSE_MS = 250;
const SAVE_MS = 1_500;

const form = document.querySelector<HTMLFormElement>("#template-form");

class Desk {
  private readonly views = new Map<Name, EditorView>();
  private words: Promise<Words | null> = Promise.resolve(null);
  private trying: AbortController | null = null;
  private saved = "";
  private saving = false;
  private readonly tryLater = later(() => void this.try(), PAUSE_MS);
  private readonly saveLater = later(() => void this.save(), SAVE_MS);

  constructor(private readonly form: HTMLFormElement) {}

  begin(): void {
    const code = [
      liquid({ base: html({ autoCloseTags: true }) }),
      closePercentBrace,
      autocompletion({
        override: [liquidWords(() => this.words), outside(htmlCompletionSource), outside(cssCompletionSource)],
      }),
    ];
    const entered = this.fields().filter((area) => area.value !== area.defaultValue);
    this.saved = this.fields().map((area) => area.defaultValue).join("\0");
    this.replace("template", code);
    this.replace("companion", [yaml(), autocompletion()]);
    this.form.querySelector<HTMLElement>(".template-tabs")?.removeAttribute("hidden");
    for (const tab of this.form.querySelectorAll<HTMLButtonElement>(".template-tab")) {
      tab.addEventListener("click", () => this.show(tab.dataset["file"] as Name));
    }
    this.show("template", false);
    this.form.addEventListener("input", () => this.tryLater());
    this.form.addEventListener("change", () => this.tryLater());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
        event.preventDefault();
        void this.save();
      }
    });
    document.getElementById("review")?.addEventListener("click", (event) => void this.leave(event));
    window.addEventListener("beforeunload", (event) => {
      if (this.texts() !== this.saved) event.preventDefault();
    });
    this.words = this.learned();
    void this.try();
    if (entered.length > 0) this.saveLater();
  }

  private fields(): HTMLTextAreaElement[] {
    const named = ["template", "companion"].map((name) => this.form.elements.namedItem(name));
    return named.filter((area) => area instanceof HTMLTextAreaElement);
  }

  private replace(name: Name, language: Extension): void {
    const area = this.form.elements.namedItem(name);
    if (!(area instanceof HTMLTextAreaElement)) return;
    const focused = document.activeElement === area;
    const nonce = this.form.dataset["nonce"] ?? "";
    const view = new EditorView({
      state: EditorState.create({
        doc: area.value,
        ...(focused && { selection: { anchor: area.selectionStart, head: area.selectionEnd } }),
        extensions: [
          EditorView.cspNonce.of(nonce),
          EditorState.readOnly.of(this.form.dataset["readonly"] !== undefined),
          ...BASICS,
          EditorView.contentAttributes.of({
            "aria-label": name === "template" ? "Template" : "Settings",
            "aria-describedby": "code-help",
            tabindex: "0",
          }),
          KEYS,
          language,
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            area.value = update.state.doc.toString();
            this.state("Unsaved changes");
            this.tryLater();
            this.saveLater();
          }),
        ],
      }),
    });
    area.hidden = true;
    area.before(view.dom);
    area.parentElement?.querySelector("label")?.setAttribute("hidden", "");
    this.views.set(name, view);
    if (focused) view.focus();
  }

  private show(name: Name, focus = true): void {
    for (const part of this.form.querySelectorAll<HTMLElement>(".template-file")) part.hidden = part.dataset["file"] !== name;
    for (const tab of this.form.querySelectorAll<HTMLButtonElement>(".template-tab")) {
      tab.setAttribute("aria-pressed", String(tab.dataset["file"] === name));
    }
    const view = this.views.get(name);
    view?.requestMeasure();
    if (focus) view?.focus();
  }

  private texts(): string {
    return [...this.views.values()].map((view) => view.state.doc.toString()).join("\0");
  }

  private state(text: string): void {
    const state = document.getElementById("state");
    if (state !== null && state.textContent !== text) state.textContent = text;
  }

  private trouble(text: string, choices: readonly (readonly [string, () => void])[] = []): void {
    const place = document.getElementById("trouble");
    if (place === null) return;
    place.hidden = text === "";
    place.replaceChildren(
      text,
      ...choices.map(([label, act]) => button(label, act)),
    );
  }

  private async send(path: string, more: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    const given = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) if (typeof value === "string") given.set(name, value);
    for (const [name, value] of Object.entries(more)) given.set(name, value);
    return fetch(`/dashboard/templates/${this.form.dataset["name"] ?? ""}${path}`, {
      method: "POST",
      body: given,
      headers: { accept: "application/json" },
      ...(signal ? { signal } : {}),
    });
  }

  /** Return the words that the template may use; without them the editor completes HTML and CSS alone. */
  private async learned(): Promise<Words | null> {
    try {
      const answer = await fetch(`/dashboard/templates/${this.form.dataset["name"] ?? ""}/words`);
      return answer.ok && !answer.redirected ? ((await answer.json()) as Words) : null;
    } catch {
      return null;
    }
  }

  /** Have the text checked and drawn. The answer to an older text is not waited for. */
  private async try(): Promise<void> {
    this.trying?.abort();
    const mine = (this.trying = new AbortController());
    const stage = document.getElementById("stage");
    stage?.setAttribute("aria-busy", "true");
    try {
      const answer = await this.send("/tried", {}, mine.signal);
      if (answer.redirected || answer.status === 401) return this.trouble("Your session has ended. Sign in in another tab: your text stays here.");
      if (!answer.ok) {
        const { error } = (await answer.json()) as Saved;
        return this.trouble(`${error?.message ?? "The server cannot check the template now"}.`);
      }
      this.take((await answer.json()) as Tried);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) this.trouble("The server does not answer. Your text stays here.");
    } finally {
      if (this.trying === mine) stage?.removeAttribute("aria-busy");
    }
  }

  private take(tried: Tried): void {
    this.trouble("");
    for (const [name, view] of this.views) {
      const length = view.state.doc.length;
      const found = tried.problems.filter(({ file }) => file === name);
      const marks = found.map(({ start, end, severity, message }) => ({
        from: Math.min(start, length),
        to: Math.min(Math.max(end, start), length),
        severity,
        message: capital(message),
      }));
      view.dispatch(setDiagnostics(view.state, marks));
    }
    this.list(tried.problems);
    const picture = document.getElementById("picture");
    const note = document.getElementById("picture-note");
    const weight = document.getElementById("weight");
    if (picture instanceof HTMLImageElement && tried.picture) {
      const [width, height] = ["width", "height"].map((side) => this.value(side));
      picture.width = Number(width);
      picture.height = Number(height);
      picture.src = tried.picture;
    }
    picture?.classList.toggle("stale", tried.picture === "");
    if (weight !== null) weight.textContent = tried.weight;
    const wrong = tried.problems.find(({ file }) => file === "picture");
    const why = wrong ? capital(wrong.message) : tried.note || (tried.picture ? "" : "Correct the mistakes to see the picture.");
    if (note !== null) {
      note.textContent = why;
      note.hidden = why === "";
    }
    if (tried.fields) {
      const fields = document.getElementById("fields");
      if (fields !== null && !fields.contains(document.activeElement)) {
        fields.innerHTML = tried.fields;
        const keys = this.form.elements.namedItem("keys");
        if (keys instanceof HTMLInputElement) keys.value = tried.keys;
        this.words = this.learned();
      }
    }
  }

  private value(name: string): string {
    const field = this.form.elements.namedItem(name);
    return field instanceof HTMLInputElement ? field.value : "";
  }

  private list(problems: readonly Problem[]): void {
    const list = document.getElementById("problems");
    list?.replaceChildren(
      ...problems
        .filter(({ file }) => file !== "picture")
        .map(({ file, severity, message, start, line }) => {
          const item = document.createElement("li");
          item.className = severity;
          const go = document.createElement("button");
          go.type = "button";
          go.textContent = `${file === "companion" ? "Settings, line" : "Line"} ${line}`;
          go.addEventListener("click", () => this.go(file as Name, start));
          item.append(go, ` ${capital(message)}`);
          return item;
        }),
    );
  }

  private go(name: Name, place: number): void {
    this.show(name);
    const view = this.views.get(name);
    const anchor = Math.min(place, view?.state.doc.length ?? 0);
    view?.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
  }

  /** Save the draft. Another one that somebody saved meanwhile is replaced only if that is asked for. */
  private async save(over: Record<string, string> = {}): Promise<boolean> {
    const text = this.texts();
    if (this.saving || (text === this.saved && Object.keys(over).length === 0)) {
      if (!this.saving) this.state("All changes are saved");
      return text === this.saved;
    }
    this.saving = true;
    this.state("Saving …");
    try {
      const answer = await this.send("", { do: "save", ...over });
      if (answer.redirected || answer.status === 401) {
        this.state("Not saved");
        this.trouble("Your session has ended. Sign in in another tab, then save again: your text stays here.", [["Save again", () => void this.save()]]);
        return false;
      }
      const told = (await answer.json()) as Saved;
      if (!answer.ok) {
        this.state("Not saved");
        const said = capital(told.error?.message ?? `the server answered ${answer.status}`);
        const mine = { revision: String(told.revision ?? 0), "companion-revision": String(told.companionRevision ?? 0) };
        if (answer.status === 409) {
          this.trouble(`${said}. Your text is not saved yet.`, [
            ["Replace theirs with mine", () => void this.save(mine)],
            ["Discard mine", () => this.reload()],
          ]);
        } else this.trouble(`${said}.`, [["Save again", () => void this.save()]]);
        return false;
      }
      this.saved = text;
      this.revise("revision", told.revision ?? 0);
      this.revise("companion-revision", told.companionRevision ?? 0);
      const drafts = (told.revision ?? 0) > 0 || (told.companionRevision ?? 0) > 0;
      this.trouble("");
      this.state(drafts ? "Draft saved, not published yet" : "Published");
      this.offer(told);
      this.redraw(told);
      return true;
    } catch {
      this.state("Not saved");
      this.trouble("The server does not answer. Your text stays here.", [["Save again", () => void this.save()]]);
      return false;
    } finally {
      this.saving = false;
      if (this.texts() !== text) this.saveLater();
    }
  }

  private revise(name: string, revision: number): void {
    const field = this.form.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = String(revision);
  }

  private offer(told: Saved): void {
    const review = document.getElementById("review");
    if (!(review instanceof HTMLAnchorElement)) return;
    const query = new URLSearchParams();
    const name = this.form.dataset["name"] ?? "";
    if (told.revision) query.append("path", `templates/${name}.liquid`);
    if (told.companionRevision) query.append("path", `templates/${name}.yaml`);
    review.href = `/dashboard/review?${query}`;
    review.hidden = [...query].length === 0;
  }

  /** Draw the blocks that use the template again, with the draft as it is saved now. */
  private redraw(told: Saved): void {
    for (const image of document.querySelectorAll<HTMLImageElement>("#used img")) {
      const address = new URL(image.src);
      address.search = `?r=${told.revision ?? 0}-${told.companionRevision ?? 0}`;
      image.src = address.href;
    }
  }

  private reload(): void {
    this.saved = this.texts();
    window.location.reload();
  }

  /** Save before leaving for the review. */
  private async leave(event: MouseEvent): Promise<void> {
    if (this.texts() === this.saved || !(event.currentTarget instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    const link = event.currentTarget;
    if (await this.save()) window.location.assign(link.href);
  }
}

if (form !== null) new Desk(form).begin();
