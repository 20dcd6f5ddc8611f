import type { CallContext } from "./deadline.js";

/** What is read of an answer at most, in decoded bytes. A right answer has some thousand. */
export const maxBodyBytes = 2 ** 20;

/** What is read of a 4xx or 5xx answer: what is read is kept, and has to be redacted. */
export const maxErrorBytes = 2 ** 16;

/** What `fetch` implementations give as a body: web streams, Node's streams (node-fetch), or none at all (stubs). */
type Body = Partial<ReadableStream<unknown> & AsyncIterable<unknown>> | null | undefined;

/**
 * Reads a body to its end, or to the limit: the rest is cancelled.
 *
 * @throws whatever the body does if it breaks off
 */
export async function readBody(response: Response, call: CallContext, maxBytes: number) {
  const chunks: Uint8Array[] = [];
  let length = 0;
  /** Tells whether there is more to read. */
  const take = (chunk: unknown): boolean => {
    const bytes = toBytes(chunk);
    chunks.push(bytes);
    length += bytes.length;
    return length <= maxBytes && !call.signal.aborted;
  };
  const body = response.body as Body;
  if (typeof body?.getReader === "function") {
    const reader = body.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (take(next.value)) continue;
      reader.cancel().catch(() => {});
      break;
    }
  } else if (typeof body?.[Symbol.asyncIterator] === "function") {
    for await (const chunk of body as AsyncIterable<unknown>) if (!take(chunk)) break;
  } else {
    take(typeof response.arrayBuffer === "function" ? await response.arrayBuffer() : await response.text());
  }
  return { bytes: join(chunks, Math.min(length, maxBytes)), isCut: length > maxBytes };
}

const decoder = new TextDecoder();
export const decode = (bytes: Uint8Array): string => decoder.decode(bytes);

export function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === "string") return new TextEncoder().encode(chunk);
  // By their shape: test runners have another realm's `Uint8Array`.
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return new Uint8Array(chunk as ArrayBuffer);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only) return only.subarray(0, length);
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk.subarray(0, length - at), at);
    at += chunk.length;
  }
  return whole;
}
