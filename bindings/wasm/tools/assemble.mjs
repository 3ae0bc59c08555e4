// Puts the package together in dist/: compiles the TypeScript, lays the module and its glue beside it, and
// bundles the entries for `require`.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";

const top = new URL("..", import.meta.url).pathname;
const dist = join(top, "dist");
const core = (name) => join(top, "src/core", name);

/** Bundles these entries. */
async function bundle(entries, output) {
  const bundle = await rolldown({ input: entries, platform: "node", logLevel: "warn" });
  await bundle.write(output);
  await bundle.close();
}

rmSync(dist, { recursive: true, force: true });
const table = JSON.stringify(JSON.parse(readFileSync(core("providers.json"), "utf8")));
writeFileSync(core("providers.ts"), `const table: unknown = ${table};\nexport default table;\n`);
execFileSync(join(top, "node_modules/.bin/tsc"), ["-p", "."], { cwd: top, stdio: "inherit" });

for (const license of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(join(top, "../..", license), join(top, license));
mkdirSync(join(dist, "core"), { recursive: true });
await bundle([core("core.js")], { file: join(dist, "core/core.js"), minify: true });
copyFileSync(core("core.d.ts"), join(dist, "core/core.d.ts"));
copyFileSync(core("smtp.wasm"), join(dist, "smtp.wasm"));
const base64 = readFileSync(core("smtp.wasm")).toString("base64");
writeFileSync(join(dist, "module.js"), `/** The module in base64. */\nexport const MODULE = "${base64}";\n`);

const entries = ["node", "inline", "slim", "providers"].map((name) => join(dist, `${name}.js`));
await bundle(entries, { dir: dist, format: "cjs", entryFileNames: "[name].cjs", chunkFileNames: "shared-[hash].cjs" });
// The same declarations once more, where TypeScript takes them for those of a CommonJS module.
for (const name of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
  mkdirSync(join(dist, "cjs", dirname(name)), { recursive: true });
  copyFileSync(join(dist, name), join(dist, "cjs", name));
}
writeFileSync(join(dist, "cjs/package.json"), '{ "type": "commonjs" }\n');
