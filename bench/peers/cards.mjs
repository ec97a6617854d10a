// Draws a row of products as a PNG with satori and resvg, one per line of JSON on standard input, and answers each with
// the milliseconds it took and the bytes it has: {width, height, scale, title, items: [{name, price, photo}]}.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Resvg } from "@resvg/resvg-js";
import satori from "satori";

const [folder, kept] = process.argv.slice(2);
const fonts = [400, 600].map((weight) => ({
  name: "Inter",
  weight,
  style: "normal",
  data: readFileSync(`${folder}/inter-latin-${weight}-normal.woff`),
}));
const box = (style, children, more = {}) => ({ type: "div", props: { style: { display: "flex", ...style }, children, ...more } });

function card(item, width, height) {
  return box({ width, height, flexDirection: "column", backgroundColor: "#fff", borderRadius: 14, overflow: "hidden", boxShadow: "0 3px 10px rgba(28,34,48,0.12)" }, [
    { type: "img", props: { src: item.photo, width, height: height - 76, style: { objectFit: "cover" } } },
    box({ padding: "10px 12px 0", fontSize: 14, fontWeight: 600, color: "#1c2230" }, item.name),
    box({ padding: "2px 12px", fontSize: 14, color: "#4a5268" }, item.price),
  ]);
}

async function draw({ width, height, scale, title, items }) {
  const wide = Math.floor((width - 40 - 14 * (items.length - 1)) / items.length);
  const page = box({ width, height, padding: 20, flexDirection: "column", backgroundColor: "#f6f5f2", fontFamily: "Inter" }, [
    box({ fontSize: 22, fontWeight: 600, color: "#1c2230", marginBottom: 14 }, title),
    box({ gap: 14 }, items.map((item) => card(item, wide, height - 84))),
  ]);
  const svg = await satori(page, { width, height, fonts });
  return new Resvg(svg, { fitTo: { mode: "width", value: width * scale }, font: { loadSystemFonts: false } }).render().asPng();
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const begun = performance.now();
  const png = await draw(asked);
  const milliseconds = performance.now() - begun;
  if (kept) writeFileSync(kept, png);
  process.stdout.write(JSON.stringify({ milliseconds, bytes: png.length }) + "\n");
}
