// Icons: writes a sprite of those of Lucide's icons that the pages use, as `icon("house")`, `icon="house"` or `picture="house"`.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , pages, icons, sprite] = process.argv;
const used = new Set();
for (const name of readdirSync(pages, { recursive: true })) {
  if (!/\.(py|html)$/.test(name)) continue;
  for (const [, icon] of readFileSync(join(pages, name), "utf8").matchAll(/\b(?:icon|svg|picture)(?:\(|=)"([a-z0-9-]+)"/g)) used.add(icon);
}
const symbols = [...used].sort().map((name) => {
  const drawn = readFileSync(join(icons, `${name}.svg`), "utf8").replace(/<!--.*?-->/s, "");
  const inner = drawn.slice(drawn.indexOf(">", drawn.indexOf("<svg")) + 1, drawn.lastIndexOf("</svg>"));
  return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s+/g, " ").trim()}</symbol>`;
});
writeFileSync(sprite, `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
