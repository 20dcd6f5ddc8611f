import type { CallContext } from "./deadline.js";

/** How much of a response is read at most, in decoded bytes. A normal one has a few thousand. */
export const maxBodyBytes = 2 ** 20;

/** How much of a 4xx or 5xx response is read: all of it is kept, and has to be redacted. */
export const maxErrorBytes = 2 ** 16;

/** The bodies of `fetch` implementations: web streams, Node's streams (node-fetch), or none at all (stubs). */
type Body = Partial<ReadableStream<unknown> & AsyncIterable<unknown>> | null | undefined;

/**
 * Reads a body to its end, or to the limit: the rest is canceled.
 *
 * @throws the body's own error if it is incomplete
 */
export async function readBody(response: Response, call: CallContext, maxBytes: number) {
  const chunks: Uint8Array[] = [];
  let length = 0;
  /** Whether there is more to read. */
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

// Created late: in jsdom there is none, and importing the package must work there.
let decoder: TextDecoder | undefined;
export const decode = (bytes: Uint8Array): string => (decoder ??= new TextDecoder()).decode(bytes);

export function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === "string") return new TextEncoder().encode(chunk);
  // By their shape: test runners have another realm's `Uint8Array`.
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return new Uint8Array(chunk as ArrayBuffer);
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk.subarray(0, length - at), at);
    at += chunk.length;
  }
  return whole;
}

const maxDepth = 100;

/**
 * Whether a text nests arrays and objects deeper than 100 levels. Such a text is never parsed: V8 14 (Node 26.10) ends the
 * whole process on some 50,000 nested objects ("Check failed: IsDescriptorArray()"), and no `catch` helps. Besides, a logger
 * that walks the value may overflow its stack.
 */
export function nestsTooDeep(text: string): boolean {
  // Hardly any text has this many brackets at all, and searching for them is faster than reading the text.
  if (text.split(/[[{]/, maxDepth + 2).length <= maxDepth + 1) return false;
  let depth = 0;
  const withoutStrings = text.replace(/\\./gs, "").replace(/"[^"]*"?/g, "");
  for (const bracket of withoutStrings.match(/[[\]{}]/g) ?? []) {
    depth += bracket === "{" || bracket === "[" ? 1 : -1;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** Replaces a text that must not be parsed. */
export const unparsedNote = "nested too deeply to be parsed";

/** Parses JSON; `undefined` if the text is not JSON, or is nested too deeply. */
export function parseJson(text: string): unknown {
  try {
    return nestsTooDeep(text) ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** Replaces a response's `json()` by one that does not parse a text which is nested too deeply. */
export function guardJson(response: Response): Response {
  return Object.assign(response, {
    async json() {
      const text = await response.text();
      if (nestsTooDeep(text)) throw new SyntaxError(unparsedNote);
      return JSON.parse(text) as unknown;
    },
    clone: () => guardJson(Response.prototype.clone.call(response)),
  });
}
