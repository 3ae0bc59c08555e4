import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { SmtpError } from "../errors.js";
import { textOf } from "../message.js";
import type { Transport } from "../transport.js";

/** Where to connect, and how TLS is done there. */
export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** The own address to connect from. */
  readonly localAddress?: string | undefined;
  /** Milliseconds until the connection must be there. */
  readonly connectionTimeout: number;
  /** Passed on to node:tls: `ca`, `servername`, `minVersion`, `rejectUnauthorized` and the rest. */
  readonly tls?: tls.ConnectionOptions | undefined;
}

/** Opens a TCP connection whose `startTls` checks the certificate against the host name. */
export async function connect(options: SocketOptions): Promise<Transport> {
  const { host, port, localAddress } = options;
  const socket = net.connect({ host, port, ...(localAddress && { localAddress }), noDelay: true, keepAlive: true });
  const timer = setTimeout(() => {
    socket.destroy(new SmtpError("ETIMEDOUT", `no connection to ${host}:${port} within ${options.connectionTimeout} ms`));
  }, options.connectionTimeout);
  try {
    await once(socket, "connect");
  } catch (error) {
    if (error instanceof SmtpError) throw error;
    const dns = (error as NodeJS.ErrnoException).syscall === "getaddrinfo";
    const code = dns ? "EDNS" : "ECONNECTION";
    throw new SmtpError(code, `no connection to ${host}:${port}: ${textOf(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  return socketTransport(socket, () => clientTls(socket, options));
}

/** A transport over a socket; `secure` puts TLS around it. */
export function socketTransport(socket: net.Socket, secure?: () => Promise<net.Socket>): Transport {
  // An error comes up at the next read or write.
  socket.on("error", () => {});
  const transport: Transport = {
    async read() {
      for (;;) {
        const bytes = socket.read() as Uint8Array | null;
        if (bytes !== null) return bytes;
        if (socket.readableEnded || socket.destroyed) return undefined;
        await firstOf(socket, ["readable", "end", "close", "error"]);
      }
    },
    async write(bytes) {
      if (!socket.writable) throw new Error("the connection is closed");
      if (!socket.write(bytes)) await firstOf(socket, ["drain", "close", "error"]);
      if (socket.errored) throw socket.errored;
    },
    close() {
      // What was written still leaves; a peer that does not close is not waited for.
      socket.end();
      socket.destroySoon();
    },
  };
  if (secure) transport.startTls = async () => socketTransport(await secure());
  return transport;
}

async function clientTls(socket: net.Socket, options: SocketOptions): Promise<net.Socket> {
  const { host } = options;
  const secured = tls.connect({
    socket,
    host,
    // An address can not be a server name in the handshake, but the certificate is checked for it.
    ...(net.isIP(host) === 0 && { servername: host }),
    ...options.tls,
  });
  return handshake(secured, "secureConnect");
}

/** Waits until the handshake is over. */
export async function handshake(secured: tls.TLSSocket, event: "secureConnect" | "secure"): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const failed = (error?: Error) => reject(error ?? new Error("the peer closed the connection"));
    secured.once("error", failed);
    secured.once("close", failed);
    secured.once(event, () => {
      secured.off("error", failed);
      secured.off("close", failed);
      resolve(secured);
    });
  });
}

function firstOf(socket: net.Socket, events: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) socket.off(event, done);
      resolve();
    };
    for (const event of events) socket.on(event, done);
  });
}
