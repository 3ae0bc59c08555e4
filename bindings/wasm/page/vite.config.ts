import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  resolve: {
    alias: [
      { find: /^sansmtp$/, replacement: fileURLToPath(new URL("../dist/browser.js", import.meta.url)) },
      { find: /^sansmtp\/providers$/, replacement: fileURLToPath(new URL("../dist/providers.js", import.meta.url)) },
    ],
  },
  // Nothing inline: the policy of the page allows files of its own only.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
