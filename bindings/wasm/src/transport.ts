/** A connection as the drivers see it: bytes in, bytes out. */
export interface Transport {
  /** The next bytes; `undefined` once the peer has said its last. */
  read(): Promise<Uint8Array | undefined>;
  /** Sends; resolves when more may be sent. */
  write(bytes: Uint8Array): Promise<void>;
  /** Does the TLS handshake on this connection, and checks the certificate. Absent where it can not be done. */
  startTls?(): Promise<Transport>;
  /** Ends the connection; `read` gives `undefined` afterwards. */
  close(): void;
}

/** A pair of byte streams: a WebSocket relay, WebTransport, Direct Sockets, or two ends in memory. */
export interface ByteStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * A transport over streams. `startTls` gets the streams and gives those inside of TLS; a browser has nothing
 * of the kind, so that TLS ends at the relay there.
 */
export function streamTransport(
  streams: ByteStreams,
  startTls?: (streams: ByteStreams) => Promise<ByteStreams>,
): Transport {
  const reader = streams.readable.getReader();
  const writer = streams.writable.getWriter();
  const transport: Transport = {
    async read() {
      const { done, value } = await reader.read();
      return done ? undefined : value;
    },
    async write(bytes) {
      await writer.ready;
      await writer.write(bytes);
    },
    close() {
      reader.cancel().catch(() => {});
      writer.close().catch(() => {});
    },
  };
  if (startTls) {
    transport.startTls = async () => {
      reader.releaseLock();
      writer.releaseLock();
      return streamTransport(await startTls(streams));
    };
  }
  return transport;
}

/**
 * A transport over a WebSocket whose other end is a relay of bytes. What the server and the relay say to each
 * other is not protected by the page: TLS, if there is any, ends at the relay.
 */
export async function webSocketTransport(url: string | URL): Promise<Transport> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  let over = false;
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      const end = () => {
        if (!over) controller.close();
        over = true;
      };
      socket.addEventListener("message", ({ data }) => {
        if (data instanceof ArrayBuffer && !over) controller.enqueue(new Uint8Array(data));
      });
      socket.addEventListener("close", end);
    },
    cancel() {
      over = true;
      socket.close();
    },
  });
  const writable = new WritableStream<Uint8Array>({
    write(bytes) {
      if (socket.readyState !== WebSocket.OPEN) throw new Error("the relay closed the connection");
      // A copy: what is sent may lie in memory that grows.
      socket.send(bytes.slice());
    },
    close() {
      socket.close();
    },
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve(), { once: true });
    socket.addEventListener("close", () => reject(new Error(`no connection by the relay ${socket.url}`)), { once: true });
  });
  return streamTransport({ readable, writable });
}

/** Two transports, each the other's peer, in memory. */
export function transportPair(): [Transport, Transport] {
  // As wide as a network's buffers: a client that pipelines writes on while replies come back (RFC 2920, section 3.1).
  const wide = new ByteLengthQueuingStrategy({ highWaterMark: 1 << 20 });
  const there = new TransformStream<Uint8Array, Uint8Array>({}, wide, wide);
  const back = new TransformStream<Uint8Array, Uint8Array>({}, wide, wide);
  return [
    streamTransport({ readable: back.readable, writable: there.writable }),
    streamTransport({ readable: there.readable, writable: back.writable }),
  ];
}
