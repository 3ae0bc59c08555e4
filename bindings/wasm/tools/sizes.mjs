// Packs the package and prints what a user downloads.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const top = new URL("..", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "sansmtp-pack-"));
try {
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", directory], { cwd: top, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
  );
  const row = (name, size, zipped) => console.log(`${name.padEnd(28)} ${String(size).padStart(9)} ${String(zipped).padStart(9)}`);
  row("", "bytes", "gzip");
  for (const name of ["smtp.wasm", "core/core.js", "client.js", "connection.js", "browser.js", "node.cjs"]) {
    const content = readFileSync(join(top, "dist", name));
    row(`dist/${name}`, content.length, gzipSync(content, { level: 9 }).length);
  }
  row(`${packed.filename}, ${packed.entryCount} files`, packed.unpackedSize, packed.size);
} finally {
  rmSync(directory, { recursive: true });
}
