import { clock } from "./client.js";
import { joined } from "./codec.js";
import { Server, type ServerOptions } from "./server.js";
import type { Transport } from "./transport.js";
import { type Answer, type Failure, isRequest, type Request, type ServerEvent } from "./types.js";

/** Decides about what a client wants. */
export interface Handler {
  /** `undefined` says yes in the usual words, `drop` closes the connection without a word. */
  request(request: Request): Answer | "drop" | undefined | Promise<Answer | "drop" | undefined>;
  /** What happens besides. */
  event?(event: Exclude<ServerEvent, Request>): void;
  /** What goes over the connection, for logs. Credentials are among it. */
  traffic?(direction: "in" | "out", bytes: Uint8Array): void;
}

/** Serves one client until it leaves. Gives the failure that ended the session, if one did. */
export async function serve(
  transport: Transport,
  options: ServerOptions,
  handler: Handler,
): Promise<Failure | undefined> {
  const server = new Server(options);
  let reading: Promise<Uint8Array | undefined> | undefined;
  let input: Uint8Array | undefined;
  let flight: Uint8Array[] = [];
  // The replies to pipelined commands leave together.
  const flush = async () => {
    const bytes = joined(flight);
    flight = [];
    if (bytes.length === 0) return;
    handler.traffic?.("out", bytes);
    await transport.write(bytes);
  };
  try {
    for (;;) {
      const events = server.receive(input);
      input = undefined;
      for (const event of events) {
        if (event.type === "failed") {
          await flush();
          return event.failure;
        }
        if (!isRequest(event)) {
          handler.event?.(event);
          continue;
        }
        const answer = await handler.request(event);
        if (answer === "drop") {
          await flush();
          return undefined;
        }
        if (answer) server.answer(answer);
        else server.accept();
      }
      const bytes = server.transmit();
      flight.push(bytes);
      // An answer that left makes room for input that was kept.
      if (bytes.length > 0 || events.length > 0) continue;
      await flush();
      if (server.isClosed) return undefined;
      if (server.wantsTls) {
        if (!transport.startTls) return undefined;
        transport = await transport.startTls();
        const failure = server.tlsEstablished();
        if (failure) return failure;
        continue;
      }
      reading ??= transport.read();
      const read = await inTime(server.deadline, reading);
      if (read === LATE) {
        const failure = server.handleTimeout();
        if (failure) return failure;
        continue;
      }
      reading = undefined;
      if (read === undefined) return server.receiveEof();
      handler.traffic?.("in", read);
      input = read;
    }
  } finally {
    transport.close();
    server[Symbol.dispose]();
  }
}

const LATE = Symbol("late");

async function inTime<T>(deadline: number | undefined, work: Promise<T>): Promise<T | typeof LATE> {
  if (deadline === undefined) return work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    const wait = Math.min(Math.max(1, deadline - clock() + 1), 0x7fff_ffff);
    timer = setTimeout(() => resolve(LATE), wait);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
