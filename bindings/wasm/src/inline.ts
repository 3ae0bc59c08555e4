/** The entry that carries the module in itself, for places without files. */
import { initSync } from "./core/core.js";
import { MODULE } from "./module.js";

initSync({ module: Uint8Array.from(atob(MODULE), (c) => c.charCodeAt(0)) });

export * from "./common.js";
