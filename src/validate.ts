import { InvalidArgumentError } from "./errors.js";

/** Headers as a caller gives them. One that is `undefined` or `null` is left out. */
export type HeadersOption = NonNullable<RequestInit["headers"]> | Record<string, string | null | undefined>;

/** What client ids, secrets and customer tokens are made of (RFC 6749, appendix A: VSCHAR). */
export const printableAscii = /^[\x20-\x7e]+$/;

/** What a bank token may be made of, so that a header can hold it. */
export const visibleAscii = /^[\x21-\x7e]+$/;

/** What is wrong with a credential, without a word of it. */
export function describeText(value: unknown): string | undefined {
  if (typeof value !== "string") return typeof value;
  if (/[\r\n]$/.test(value)) return "a line break at its end";
  return value === "" ? "nothing" : undefined;
}

/** @throws {InvalidArgumentError} for what is not a time that a timer can wait: a longer one would fire at once */
export function checkTimeout(field: string, timeoutMs: number): number {
  if (typeof timeoutMs === "number" && timeoutMs > 0 && timeoutMs < 2 ** 31) return timeoutMs;
  throw new InvalidArgumentError(field, "a number of milliseconds above 0 and below 2 ** 31");
}

/** @throws {InvalidArgumentError} for what is no object, or has other fields: a misspelt one would be ignored silently */
export function checkFields(name: string, value: object, fields: readonly string[]): void {
  if (typeof value !== "object" || value === null) throw new InvalidArgumentError(name, "an object");
  const other = Object.keys(value).find((field) => !fields.includes(field));
  if (other !== undefined) throw new InvalidArgumentError(other, `a known option: ${fields.join(", ")}`);
}

// They belong to one connection (RFC 9110, section 7.6.1). Some platforms refuse them, and others hang.
const connectionHeaders =
  /^(?:connection|content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/;

/** @param names In lower case, as `Headers` gives them */
export function checkHeaderNames(names: Iterable<string>): void {
  for (const name of names) {
    if (connectionHeaders.test(name)) {
      throw new InvalidArgumentError("headers", "no header that belongs to the connection", name);
    }
  }
}

/** @throws {InvalidArgumentError} for what is no AbortSignal, such as an AbortController; a polyfill is one */
export function checkSignal(signal: AbortSignal | null | undefined): void {
  if (signal === undefined || signal === null) return;
  const { aborted, addEventListener: add, removeEventListener: remove } = signal;
  const isSignal = typeof aborted === "boolean" && typeof add === "function" && typeof remove === "function";
  if (!isSignal) throw new InvalidArgumentError("signal", "an AbortSignal");
}

/** Takes a caller's headers once: an iterator can be read only once, and an object may change later. */
export function checkHeaders(headers: HeadersOption | undefined): Record<string, string> {
  // Without any, the platform's fetch implementation need not be loaded yet.
  if (headers === undefined || headers === null) return {};
  let taken: Record<string, string>;
  try {
    const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
    const given = entries.filter(([, value]) => value !== undefined && value !== null) as [string, string][];
    taken = Object.fromEntries(new Headers(given));
  } catch {
    // The platform's message would show the value.
    throw new InvalidArgumentError("headers", "names and values that HTTP allows");
  }
  checkHeaderNames(Object.keys(taken));
  return taken;
}
