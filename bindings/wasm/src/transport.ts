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

/** Two transports, each the other's peer, in memory. */
export function transportPair(): [Transport, Transport] {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  return [
    streamTransport({ readable: back.readable, writable: there.writable }),
    streamTransport({ readable: there.readable, writable: back.writable }),
  ];
}
