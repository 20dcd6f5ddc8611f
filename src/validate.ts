import { InvalidArgumentError } from "./errors.js";

/** Headers as a caller gives them. One that is `undefined` or `null` is left out. */
export type HeadersOption = NonNullable<RequestInit["headers"]> | Record<string, string | null | undefined>;

/** What client ids, secrets and customer tokens are made of (RFC 6749, appendix A: VSCHAR). */
export const printableAscii = /^[\x20-\x7e]+$/;

/** What a bank token may be made of, so that a header can hold it. */
export const visibleAscii = /^[\x21-\x7e]+$/;

/**
 * Checks what a caller gave.
 *
 * @param got What was there instead, in words: never the value itself, which may be a secret
 * @throws {InvalidArgumentError} naming the field
 */
export function check(isRight: unknown, field: string, expected: string, got?: string): asserts isRight {
  if (!isRight) throw new InvalidArgumentError(field, expected, got);
}

/** Checks a string, such as a credential, and says what is wrong with it without a word of it. */
export function checkText(value: unknown, pattern: RegExp, field: string, expected: string): asserts value is string {
  const isText = typeof value === "string";
  const got = !isText
    ? typeof value
    : /[\r\n]$/.test(value)
      ? "a line break at its end"
      : value
        ? undefined
        : "nothing";
  check(isText && pattern.test(value), field, expected, got);
}

/** Checks an object that a caller lends. */
export function checkMethods(value: unknown, field: string, ...names: string[]): void {
  const methods = Object(value) as Record<string, unknown>;
  const areThere = names.every((name) => typeof methods[name] === "function");
  check(areThere, field, `an object with ${names.map((name) => `${name}()`).join(", ")}`);
}

/** Checks a time that a timer can wait: a longer one would fire at once. */
export function checkTimeout(field: string, timeoutMs: number): number {
  const isTime = typeof timeoutMs === "number" && timeoutMs > 0 && timeoutMs < 2 ** 31;
  check(isTime, field, "a number of milliseconds above 0 and below 2 ** 31");
  return timeoutMs;
}

/** Checks that an object has no other fields: a misspelt one would be ignored silently. */
export function checkFields(name: string, value: object, fields: readonly string[]): void {
  check(typeof value === "object" && value !== null, name, "an object");
  const other = Object.keys(value).find((field) => !fields.includes(field));
  check(other === undefined, other ?? "", `a known option: ${fields.join(", ")}`);
}

// They belong to one connection (RFC 9110, section 7.6.1). Some platforms refuse them, and others hang.
const connectionHeaders =
  /^(?:connection|content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/;

/** @param names In lower case, as `Headers` gives them */
export function checkHeaderNames(names: Iterable<string>): void {
  for (const name of names) {
    check(!connectionHeaders.test(name), "headers", "no header that belongs to the connection", name);
  }
}

/** Tells an AbortSignal, which may be a polyfill, from what is none, such as an AbortController. */
export function checkSignal(signal: AbortSignal | null | undefined): void {
  if (signal === undefined || signal === null) return;
  const { aborted, addEventListener: add, removeEventListener: remove } = signal;
  const isSignal = typeof aborted === "boolean" && typeof add === "function" && typeof remove === "function";
  check(isSignal, "signal", "an AbortSignal");
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
