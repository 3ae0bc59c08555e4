// Serves the built page on loopback, and opens Debian's Chromium on it.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

const built = new URL("../../page/dist/", import.meta.url).pathname;

/** Starts a server of the files below `root`, and a browser. `errors` gathers what the page complains of. */
export async function open(root = built) {
  const server = http.createServer((request, response) => {
    const path = normalize(new URL(request.url, "http://x").pathname).replace(/\/$/, "/index.html");
    try {
      const content = readFileSync(join(root, path));
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A browser that does not start must not leave the server behind.
  const browser = await chromium
    .launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  })
    .catch((error) => {
      server.close();
      throw error;
    });
  const address = `http://127.0.0.1:${server.address().port}/`;
  return {
    browser,
    address,
    /** A fresh page at `hash`, in a window of this size. */
    async page(hash = "", { width = 1400, height = 900, dark = false, ready = "#diagram svg" } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light" });
      const page = await context.newPage();
      const errors = [];
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
      });
      page.on("request", (request) => {
        if (!request.url().startsWith(address) && !request.url().startsWith("data:")) errors.push(`asked for ${request.url()}`);
      });
      await page.goto(address + hash);
      await page.waitForSelector(ready);
      return { page, errors, close: () => context.close() };
    },
    async close() {
      await browser.close();
      server.close();
    },
  };
}
