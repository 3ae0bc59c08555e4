// Puts the package together in dist/: compiles the TypeScript, lays the module and its glue beside it, and
// bundles the entry for `require`.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const top = new URL("..", import.meta.url).pathname;
const dist = join(top, "dist");
const run = (tool, ...args) => execFileSync(join(top, "node_modules/.bin", tool), args, { cwd: top, stdio: "inherit" });

rmSync(dist, { recursive: true, force: true });
run("tsc", "-p", ".");
mkdirSync(join(dist, "core"), { recursive: true });
run("rolldown", "src/core/core.js", "--format", "esm", "--minify", "--file", "dist/core/core.js", "--log-level", "warn");
copyFileSync(join(top, "src/core/core.d.ts"), join(dist, "core/core.d.ts"));
copyFileSync(join(top, "src/core/smtp.wasm"), join(dist, "smtp.wasm"));

const base64 = readFileSync(join(dist, "smtp.wasm")).toString("base64");
writeFileSync(join(dist, "module.js"), `/** The module in base64. */\nexport const MODULE = "${base64}";\n`);

run("rolldown", "dist/node.js", "--format", "cjs", "--platform", "node", "--file", "dist/node.cjs", "--log-level", "warn");
// The same declarations once more, where TypeScript takes them for those of a CommonJS module.
for (const name of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
  mkdirSync(join(dist, "cjs", dirname(name)), { recursive: true });
  copyFileSync(join(dist, name), join(dist, "cjs", name));
}
writeFileSync(join(dist, "cjs/package.json"), '{ "type": "commonjs" }\n');
