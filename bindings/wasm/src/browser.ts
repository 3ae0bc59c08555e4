/** The entry for browsers, workers and bundlers: fetches the module that lies beside it. */
import init from "./core/core.js";

await init({ module_or_path: new URL("./smtp.wasm", import.meta.url) });

export * from "./common.js";
