/** What every entry of the package offers. */
export { Client, clock } from "./client.js";
export type { ClientOptions, ClientStatus, Credentials, Envelope, Query, Reports } from "./client.js";
export * from "./connection.js";
export { type ErrorCode, type ErrorDetails, SmtpError } from "./errors.js";
export { addresses, compose } from "./message.js";
export type { AddressObject, Addresses, Attachment, Composed, Message } from "./message.js";
export type { Endpoint, Explanation, Provider } from "./providers.js";
export { type Handler, serve } from "./serve.js";
export { Server, type ServerOptions, type ServerStatus } from "./server.js";
export * from "./transport.js";
export * from "./types.js";
export * from "./wire.js";
