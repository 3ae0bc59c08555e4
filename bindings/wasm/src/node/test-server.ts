import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { joined } from "../codec.js";
import { SmtpError } from "../errors.js";
import { textOf } from "../message.js";
import { serve } from "../serve.js";
import { Server, type ServerOptions } from "../server.js";
import type { Answer, Request } from "../types.js";
import { handshake, socketTransport } from "./socket.js";

/** How the test server behaves. */
export interface TestServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default: any that is free. */
  readonly port?: number;
  readonly hostname?: string;
  /** TLS from the first byte. */
  readonly secure?: boolean;
  /** Key and certificate; with them STARTTLS is offered. */
  readonly tls?: { readonly key: string | Uint8Array; readonly cert: string | Uint8Array };
  /** The one user there is, and the password or OAuth2 token; without, nobody has to sign in. */
  readonly auth?: { readonly user: string; readonly pass: string };
  readonly mechanisms?: readonly string[];
  readonly extensions?: readonly string[];
  /** Octets. */
  readonly maxSize?: number;
  /** What goes wrong, in the order in which it is looked up. */
  readonly failures?: readonly ScriptedFailure[];
  /** Decides about a request; `undefined` leaves it to the failures and the usual rules. A promise that is kept late makes a slow server. */
  readonly respond?: (request: Request) => Answer | "drop" | undefined | Promise<Answer | "drop" | undefined>;
}

/** A failure that the server plays. */
export interface ScriptedFailure {
  /** Which request fails. */
  readonly on: Request["type"];
  /** Only for this sender, recipient or user. */
  readonly match?: string | RegExp;
  /** How often; default always. */
  readonly times?: number;
  /** Closes the connection without a word. */
  readonly drop?: boolean;
  readonly code?: number;
  readonly enhanced?: string;
  readonly text?: string;
}

/** A message that the server took. */
export interface ReceivedMessage {
  readonly from: string;
  readonly to: readonly string[];
  readonly content: Uint8Array;
  /** The content as text. */
  readonly text: string;
  readonly tls: boolean;
  /** Who signed in. */
  readonly user?: string;
}

/** A server on the own machine, for tests. */
export interface TestServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** What was taken so far. */
  readonly messages: readonly ReceivedMessage[];
  /** What happened, one line each, without passwords: `connect`, `mail a@example.org`, ... */
  readonly log: readonly string[];
  /** The number of connections that were made so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Starts a server that takes mail for everybody, on a port of its own. */
export async function createTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const messages: ReceivedMessage[] = [];
  const log: string[] = [];
  const sockets = new Set<net.Socket>();
  const used = new Map<ScriptedFailure, number>();
  let connections = 0;
  const secureContext = options.tls && tls.createSecureContext({ key: pem(options.tls.key), cert: pem(options.tls.cert) });
  const protocol: ServerOptions = {
    hostname: options.hostname ?? "test.example.org",
    security: options.secure ? "tls" : options.tls ? "starttls" : "danger-plaintext",
    ...(options.extensions && { extensions: options.extensions }),
    ...(options.maxSize !== undefined && { maxSize: options.maxSize }),
    ...(options.auth && { mechanisms: options.mechanisms ?? ["PLAIN", "LOGIN"], requireAuth: true }),
    dangerPlaintextAuth: options.tls === undefined,
  };

  check(options, protocol);

  const scripted = (request: Request): Answer | "drop" | undefined => {
    for (const failure of options.failures ?? []) {
      const count = used.get(failure) ?? 0;
      if (failure.on !== request.type || !matches(failure, request) || count >= (failure.times ?? Infinity)) continue;
      used.set(failure, count + 1);
      if (failure.drop) return "drop";
      return {
        code: failure.code ?? 550,
        ...(failure.enhanced && { enhanced: failure.enhanced }),
        text: failure.text ?? "Not today",
      };
    }
    return undefined;
  };

  const listener = net.createServer({ noDelay: true }, (socket) => {
    connections++;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    let [from, to, content, encrypted]: [string, string[], Uint8Array[], boolean] = ["", [], [], false];
    let user: string | undefined;
    const secure = async () => {
      const secured = await handshake(new tls.TLSSocket(socket, { isServer: true, ...(secureContext && { secureContext }) }), "secure");
      encrypted = true;
      log.push("tls");
      return secured;
    };
    const decide = async (request: Request): Promise<Answer | "drop" | undefined> => {
      log.push(describe(request));
      const answer = (await options.respond?.(request)) ?? scripted(request);
      if (answer !== undefined) return answer;
      switch (request.type) {
        case "authenticate":
        case "bearer":
          if (request.user !== options.auth?.user || options.auth.pass !== (request.type === "bearer" ? request.token : request.password)) {
            return { code: 535, enhanced: "5.7.8", text: "Authentication credentials invalid" };
          }
          user = request.user;
          break;
        case "mail":
          [from, to, content] = [request.from, [], []];
          break;
        case "recipient":
          to.push(request.to);
          break;
        case "message": {
          const all = joined(content);
          const text = new TextDecoder().decode(all);
          messages.push({ from, to, content: all, text, tls: encrypted, ...(user && { user }) });
          break;
        }
      }
      return undefined;
    };
    serve(socketTransport(socket, secure), protocol, {
      request: decide,
      event(event) {
        if (event.type === "content") content.push(event.data);
        if (event.type === "hello" || event.type === "reset") [from, to, content] = ["", [], []];
      },
    }).then(
      (failure) => log.push(failure ? `end: ${failure.message}` : "end"),
      (error: unknown) => log.push(`end: ${String(error)}`),
    );
  });
  listener.listen(options.port ?? 0, options.host ?? "127.0.0.1");
  await once(listener, "listening");
  const { address, port } = listener.address() as AddressInfo;
  const close = async () => {
    const closed = once(listener, "close");
    listener.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    host: address,
    port,
    messages,
    log,
    get connections() {
      return connections;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const REQUESTS: readonly Request["type"][] = [
  "connect", "authenticate", "bearer", "authorize", "mail", "recipient", "data", "message", "verify", "expand", "help",
];
const MECHANISMS = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"];

/** A test with a server that can not do what it is told would pass or fail for no reason. */
function check({ secure, tls, failures = [] }: TestServerOptions, protocol: ServerOptions): void {
  const wrong = (message: string) => new SmtpError("ECONFIG", message);
  if (secure && !tls) throw wrong("secure needs tls: { key, cert }");
  const odd = protocol.mechanisms?.find((name) => !MECHANISMS.includes(name));
  if (odd !== undefined) throw wrong(`the mechanism ${odd} is not carried out here; there are ${MECHANISMS.join(", ")}`);
  for (const { on, code = 550, enhanced, drop } of failures) {
    if (!REQUESTS.includes(on)) throw wrong(`nothing is called ${on}; a failure is on one of ${REQUESTS.join(", ")}`);
    if (drop) continue;
    if (!(code >= 400 && code <= 599)) throw wrong(`${code} is no failure; those begin at 400 and end at 599`);
    if (enhanced !== undefined && enhanced[0] !== String(code)[0]) throw wrong(`${enhanced} does not fit ${code}: both begin with the same digit`);
  }
  try {
    new Server(protocol)[Symbol.dispose]();
  } catch (error) {
    throw new SmtpError("ECONFIG", textOf(error), { cause: error });
  }
}

function matches(failure: ScriptedFailure, request: Request): boolean {
  if (failure.match === undefined) return true;
  const subject =
    request.type === "mail" ? request.from : request.type === "recipient" ? request.to : "user" in request ? request.user : "";
  return typeof failure.match === "string" ? subject === failure.match : failure.match.test(subject);
}

function describe(request: Request): string {
  switch (request.type) {
    case "mail":
      return `mail ${request.from}`;
    case "recipient":
      return `recipient ${request.to}`;
    case "authenticate":
    case "bearer":
      return `${request.type} ${request.user} ${request.mechanism}`;
    default:
      return request.type;
  }
}

function pem(value: string | Uint8Array): string | Buffer {
  return typeof value === "string" ? value : Buffer.from(value);
}
