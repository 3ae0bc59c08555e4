/** The entry that loads nothing by itself: call `init` or `initSync` with the module first. */
export * from "./common.js";
export { default as init, initSync } from "./core/core.js";
