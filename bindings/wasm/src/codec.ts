/** Fields in a row of octets, as they cross the border to the module; `core/src/codec.rs` is the other side. */
import type { Machine } from "./core/core.js";
import { ACTORS, FAILURES, FAULTS, MISUSES, REQUIREMENTS, STAGES } from "./names.js";
import type { Failure, ReplyLine } from "./types.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
export const NOTHING: Uint8Array = new Uint8Array(0);

/** Writes arguments, one by one. */
export class Fields {
  readonly #parts: Uint8Array[] = [];

  byte(value: number | boolean): this {
    return this.#add(Uint8Array.of(Number(value)));
  }

  number(value: number): this {
    const octets = new Uint8Array(8);
    new DataView(octets.buffer).setFloat64(0, value, true);
    return this.#add(octets);
  }

  octets(value: Uint8Array): this {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, value.length, true);
    return this.#add(length).#add(value);
  }

  text(value: string): this {
    return this.octets(encoder.encode(value));
  }

  list<T>(values: readonly T[], member: (value: T) => void): this {
    this.number(values.length);
    values.forEach(member);
    return this;
  }

  /** Whether there is a value, and then its field. */
  some<T>(value: T | undefined, field: (value: T) => void): this {
    this.byte(value !== undefined);
    if (value !== undefined) field(value);
    return this;
  }

  done(): Uint8Array {
    return joined(this.#parts);
  }

  #add(part: Uint8Array): this {
    this.#parts.push(part);
    return this;
  }
}

/** Reads an answer, field by field. */
export class Answer {
  readonly #octets: Uint8Array;
  readonly #view: DataView;
  #at = 1;

  /** Throws what the module refused: an `Error` that names an argument, or a {@link Failure}. */
  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    if (octets[0] === 1) throw new Error(this.text());
    if (octets[0] === 2) throw this.failure();
  }

  get more(): boolean {
    return this.#at < this.#octets.length;
  }

  byte(): number {
    return this.#octets[this.#at++] ?? 0;
  }

  flag(): boolean {
    return this.byte() !== 0;
  }

  number(): number {
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  octets(): Uint8Array {
    const start = this.#at + 4;
    this.#at = start + this.#view.getUint32(this.#at, true);
    return this.#octets.slice(start, this.#at);
  }

  text(): string {
    return decoder.decode(this.octets());
  }

  some<T>(field: () => T): T | undefined {
    return this.flag() ? field() : undefined;
  }

  /** All that is left. */
  rest(): Uint8Array {
    return this.#octets.subarray(this.#at);
  }

  reply(): ReplyLine {
    const code = this.number();
    const enhanced = this.some(() => this.text());
    return { code, ...(enhanced && { enhanced }), text: this.text(), last: this.flag() };
  }

  failure(): Failure {
    const type = name(FAILURES, this.byte());
    const detail = this.byte();
    const code = this.number();
    const enhanced = this.some(() => this.text());
    const stage = this.some(() => name(STAGES, this.byte()));
    return {
      type,
      ...(type === "refused" && { code, ...(enhanced && { enhanced }) }),
      ...(type === "peer" && { fault: FAULTS[detail] ?? "other" }),
      ...(type === "unmet" && { requirement: REQUIREMENTS[detail] ?? "other" }),
      ...(type === "misuse" && { misuse: MISUSES[detail] ?? "other" }),
      ...(stage && { stage }),
      outcomeUnknown: this.flag(),
      temporary: this.flag(),
      actor: name(ACTORS, this.byte()),
      message: this.text(),
      nextStep: this.text(),
    };
  }
}

/** The name at this place of an enumeration. */
export function name<T>(names: readonly T[], place: number): T {
  return names[place] ?? (names[0] as T);
}

/** A machine of the module, with its operations by number. */
export class Caller {
  readonly #machine: Machine;

  constructor(machine: Machine, role: number, now: number, settings: Uint8Array) {
    this.#machine = machine;
    try {
      new Answer(machine.set_up(role, now, settings));
    } catch (error) {
      machine.free();
      throw error;
    }
  }

  call(operation: number, now = 0, argument: Uint8Array = NOTHING): Answer {
    return new Answer(this.#machine.call(operation, now, argument));
  }

  /** The operations that both roles have. */
  receiveEof(): Failure | undefined {
    return told(this.call(1));
  }

  transmit(now: number): Uint8Array {
    return this.call(2, now).rest();
  }

  pollTimeout(): number | undefined {
    const answer = this.call(3);
    return answer.some(() => answer.number());
  }

  handleTimeout(now: number): Failure | undefined {
    return told(this.call(4, now));
  }

  tlsEstablished(now: number): Failure | undefined {
    return told(this.call(5, now));
  }

  free(): void {
    this.#machine.free();
  }
}

function told(answer: Answer): Failure | undefined {
  return answer.more ? answer.some(() => answer.failure()) : undefined;
}

/** All pieces in one. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
