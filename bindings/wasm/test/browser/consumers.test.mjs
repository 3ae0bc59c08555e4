// The packed package in the projects of those who use it in a browser: bundled by Vite and by esbuild, by an
// import map without any bundler, and in a worker.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { open } from "./serve.mjs";

const top = new URL("../..", import.meta.url).pathname;
const project = mkdtempSync(join(tmpdir(), "sansmtp-consumers-"));
const run = (program, ...args) => execFileSync(program, args, { cwd: project, encoding: "utf8", stdio: "pipe" });
const tool = (name, ...args) => run(join(top, "node_modules/.bin", name), ...args);
const write = (name, text) => {
  mkdirSync(dirname(join(project, name)), { recursive: true });
  writeFileSync(join(project, name), text);
};

let site;
before(async () => {
  execFileSync("npm", ["pack", "--pack-destination", project], { cwd: top, stdio: "pipe" });
  write("package.json", '{ "name": "consumers", "private": true, "type": "module" }');
  run("npm", "install", "--offline", "--no-audit", "--no-fund", `./${readdirSync(project).find((name) => name.endsWith(".tgz"))}`);
  site = await open(project);
});
after(async () => {
  await site?.close();
  rmSync(project, { recursive: true });
});

/** What a client says to a greeting. */
const greet = `const client = new Client({ host: "h", security: "danger-plaintext" });
client.receive(new TextEncoder().encode("220 h\\r\\n"));
const said = new TextDecoder().decode(client.transmit()).trim();`;
const app = (from) => `import { Client } from "${from}";\n${greet}\ndocument.body.id = "ready";\ndocument.body.textContent = said;\n`;
const html = (script, head = "") => `<!doctype html><link rel="icon" href="data:,">${head}<body><script type="module" src="${script}"></script></body>`;

/** Opens the page at this path and reads what the client said there. */
async function says(path) {
  const { page, errors, close } = await site.page(path, { ready: "#ready" });
  try {
    assert.equal(await page.locator("#ready").innerText(), "EHLO [127.0.0.1]");
    assert.deepEqual(errors, []);
  } finally {
    await close();
  }
}

test("Vite", async () => {
  write("vite/index.html", html("./app.js"));
  write("vite/app.js", app("sansmtp"));
  tool("vite", "build", "vite", "--base", "./", "--logLevel", "error");
  const assets = readdirSync(join(project, "vite/dist/assets"));
  assert.equal(assets.filter((name) => name.endsWith(".wasm")).length, 1, assets.join());
  await says("vite/dist/index.html");
});

test("esbuild, with the module inside or beside", async () => {
  for (const [name, entry] of [["inside", "sansmtp/inline"], ["beside", "sansmtp"]]) {
    write(`esbuild/${name}/index.html`, html("./out.js"));
    write(`esbuild/${name}/app.js`, app(entry));
    tool("esbuild", `esbuild/${name}/app.js`, "--bundle", "--format=esm", "--minify", `--outfile=esbuild/${name}/out.js`, "--log-level=error");
    if (name === "beside") copyFileSync(join(project, "node_modules/sansmtp/dist/smtp.wasm"), join(project, "esbuild/beside/smtp.wasm"));
    await says(`esbuild/${name}/index.html`);
  }
});

test("a plain page with an import map", async () => {
  const imports = { sansmtp: "/node_modules/sansmtp/dist/browser.js" };
  write("plain/index.html", html("./app.js", `<script type="importmap">${JSON.stringify({ imports })}</script>`));
  write("plain/app.js", app("sansmtp"));
  await says("plain/index.html");
});

test("a worker, bundled or not", async () => {
  write("worker/source.js", `import { Client } from "sansmtp/inline";\n${greet}\npostMessage(said);\n`);
  tool("esbuild", "worker/source.js", "--bundle", "--format=iife", "--outfile=worker/bundled.js", "--log-level=error");
  write("worker/module.js", `import { Client } from "/node_modules/sansmtp/dist/browser.js";\n${greet}\npostMessage(said);\n`);
  for (const [name, type] of [["bundled", "classic"], ["module", "module"]]) {
    write(
      `worker/${name}-page.js`,
      `new Worker(new URL("./${name}.js", import.meta.url), { type: "${type}" }).onmessage = ({ data }) => {
        document.body.id = "ready";
        document.body.textContent = data;
      };`,
    );
    write(`worker/${name}.html`, html(`./${name}-page.js`));
    await says(`worker/${name}.html`);
  }
});

test("who takes the machines alone does not get the providers", () => {
  write("slim/app.js", 'import { Client } from "sansmtp/slim"; console.log(Client);\n');
  tool("esbuild", "slim/app.js", "--bundle", "--format=esm", "--minify", "--outfile=slim/out.js", "--log-level=error", "--metafile=slim/meta.json");
  const { outputs } = JSON.parse(execFileSync("cat", [join(project, "slim/meta.json")], { encoding: "utf8" }));
  const inputs = Object.keys(outputs["slim/out.js"].inputs).map((name) => name.split("/").at(-1));
  assert.ok(!inputs.includes("providers.js") && !inputs.includes("module.js"), inputs.join());
});
