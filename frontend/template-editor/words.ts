/** Completion: the words that the server says a template may use, at the place where somebody types. */
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";

interface Described {
  kind: string;
  example: string;
  fields: Record<string, Described>;
  item: Described | null;
}

interface Word {
  name: string;
  detail: string;
  about: string;
}

export interface Words {
  values: Record<string, Described>;
  filters: Word[];
  tags: Word[];
}

const WINDOW = 4_000;
const LOOP: Described = {
  kind: "group",
  example: "",
  item: null,
  fields: Object.fromEntries(
    ["index", "index0", "rindex", "rindex0", "first", "last", "length"].map((name) => [
      name,
      { kind: name === "first" || name === "last" ? "yes or no" : "number", example: "", fields: {}, item: null },
    ]),
  ),
};

function step(value: Described | undefined, name: string): Described | undefined {
  if (value === undefined) return undefined;
  if (value.kind === "list") return name === "first" || name === "last" ? (value.item ?? undefined) : undefined;
  return value.fields[name];
}

function at(scope: Record<string, Described>, path: string): Described | undefined {
  const [first = "", ...rest] = path.replace(/\[\s*(?:\d+|"[^"]*"|'[^']*')\s*\]/g, ".#").split(".");
  let found = Object.hasOwn(scope, first) ? scope[first] : undefined;
  for (const name of rest) found = name === "#" ? (found?.item ?? undefined) : step(found, name);
  return found;
}

/** Return the values by name at a place, with those that the template has named before it. */
function scope(words: Words, before: string): Record<string, Described> {
  const found: Record<string, Described> = { ...words.values };
  const named = /\{%-?\s*(?:for\s+(\w+)\s+in\s+([\w.[\]"']+)|assign\s+(\w+)\s*=\s*([\w.[\]"']+)|capture\s+(\w+))/g;
  for (const [, item, list, name, path, text] of before.matchAll(named)) {
    if (item !== undefined) {
      found[item] = at(found, list ?? "")?.item ?? { kind: "", example: "", fields: {}, item: null };
      found["forloop"] = LOOP;
    } else if (name !== undefined) found[name] = at(found, path ?? "") ?? { kind: "", example: "", fields: {}, item: null };
    else if (text !== undefined) found[text] = { kind: "text", example: "", fields: {}, item: null };
  }
  return found;
}

function asOption(name: string, value: Described): Completion {
  const type = value.kind === "group" ? "namespace" : value.kind === "list" ? "enum" : "property";
  const info = value.example ? `Example: ${value.example}` : undefined;
  return { label: name, type, detail: value.kind, ...(info ? { info } : {}), ...(value.kind === "group" ? { boost: 1 } : {}) };
}

function asWord(type: string) {
  return ({ name, detail, about }: Word): Completion => ({
    label: name,
    type,
    ...(detail ? { detail: type === "function" ? `: ${detail}` : `… ${detail}` } : {}),
    ...(about ? { info: about } : {}),
  });
}

/** Return the text between the last `{{` or `{%` and the place, with these; null outside of both. */
function opened({ state, pos }: CompletionContext): string | null {
  const before = state.sliceDoc(Math.max(0, pos - WINDOW), pos);
  const open = Math.max(before.lastIndexOf("{{"), before.lastIndexOf("{%"));
  const closed = Math.max(before.lastIndexOf("}}"), before.lastIndexOf("%}"));
  return open < 0 || open < closed ? null : before.slice(open);
}

/** Return a source of completions of another language that is silent inside of `{{ … }}` and `{% … %}`. */
export function outside(source: CompletionSource): CompletionSource {
  return (context) => (opened(context) === null ? source(context) : null);
}

/** Return a source of completions inside of `{{ … }}` and `{% … %}`; elsewhere HTML and CSS have their own. */
export function liquidWords(known: () => Promise<Words | null>): CompletionSource {
  return async (context): Promise<CompletionResult | null> => {
    const text = opened(context);
    const words = text === null ? null : await known();
    if (text === null || words === null) return null;
    const inside = text.slice(2);
    const word = /[\w-]*$/.exec(inside)?.[0] ?? "";
    const from = context.pos - word.length;
    const rest = inside.slice(0, inside.length - word.length);
    const quotes = (rest.match(/["']/g) ?? []).length;
    if (quotes % 2 === 1) return null;
    if (/\|\s*$/.test(rest)) return { from, options: words.filters.map(asWord("function")), validFor: /^\w*$/ };
    if (text[1] === "%" && /^-?\s*$/.test(rest)) {
      const ends = words.tags.filter(({ detail }) => detail).map(({ detail }) => ({ label: detail, type: "keyword", boost: -1 }));
      const others = ["else", "elsif", "when"].map((label) => ({ label, type: "keyword" }));
      return { from, options: [...words.tags.map(asWord("keyword")), ...ends, ...others], validFor: /^\w*$/ };
    }
    const values = scope(words, context.state.sliceDoc(0, context.pos - inside.length));
    const path = /((?:[\w-]+|\[[^\]]*\])(?:\.[\w-]+|\[[^\]]*\])*)\.$/.exec(rest)?.[1];
    if (path !== undefined) {
      const found = at(values, path);
      if (found === undefined) return null;
      const fields = found.kind === "list" ? { first: found.item, last: found.item, size: null } : found.fields;
      const options = Object.entries(fields).map(([name, value]) =>
        asOption(name, value ?? { kind: "number", example: "", fields: {}, item: null }),
      );
      return options.length > 0 ? { from, options, validFor: /^[\w-]*$/ } : null;
    }
    if (!context.explicit && word === "" && !/(?:^-?\s|[\s(:,=<>])$/.test(rest)) return null;
    return { from, options: Object.entries(values).map(([name, value]) => asOption(name, value)), validFor: /^[\w-]*$/ };
  };
}
