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
  const explanation = { meaning: `The server ${host} is not reached on port ${port}.`, nextStep: "Check host and port: servers take mail from users on 465 or 587. Some networks close these ports." };
  const timer = setTimeout(() => {
    const text = `no connection to ${host}:${port} within ${options.connectionTimeout} ms`;
    socket.destroy(new SmtpError("ETIMEDOUT", text, { stage: "greeting", explanation }));
  }, options.connectionTimeout);
  try {
    await once(socket, "connect");
  } catch (error) {
    if (error instanceof SmtpError) throw error;
    const dns = (error as NodeJS.ErrnoException).syscall === "getaddrinfo";
    const code = dns ? "EDNS" : "ECONNECTION";
    throw new SmtpError(code, `no connection to ${host}:${port}: ${textOf(error)}`, { stage: "greeting", explanation, cause: error });
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
  try {
    const secured = tls.connect({
      socket,
      host,
      // An address can not be a server name in the handshake, but the certificate is checked for it.
      ...(net.isIP(host) === 0 && { servername: host }),
      ...options.tls,
    });
    return await handshake(secured, "secureConnect");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const [meaning, nextStep] = HANDSHAKES[code ?? ""] ?? ["TLS did not come up.", "Check host, port and `secure`: 465 wants it, 587 does not."];
    // The library's own words for this are a place in its source.
    const text = code === NO_TLS ? "the server sent something else than TLS" : textOf(error);
    const details = { stage: "starttls", explanation: { meaning, nextStep }, cause: error } as const;
    throw new SmtpError("ETLS", `the TLS handshake failed: ${text}`, details);
  }
}

const NO_TLS = "ERR_SSL_WRONG_VERSION_NUMBER";
const UNKNOWN_ISSUER = [
  "Nobody who is trusted vouches for the certificate.",
  "If the server is your own, give the certificate of its authority as `tls: { ca }`. Otherwise somebody may be in between: do not send.",
] as const;

/** What a failed handshake means and what to do, by the code of the error. */
const HANDSHAKES: Readonly<Record<string, readonly [meaning: string, nextStep: string]>> = {
  [NO_TLS]: ["The server does not begin with TLS on this port.", "`secure: true` belongs to port 465. For 587 leave it out: TLS comes by STARTTLS there."],
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_ISSUER,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_ISSUER,
  CERT_HAS_EXPIRED: ["The certificate has expired.", "Check the clock of this machine; otherwise who runs the server has to renew it."],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    "The certificate is for another name.",
    "Give the server's name as `host`, as its operator writes it, or the name of the certificate as `tls: { servername }`.",
  ],
};

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
