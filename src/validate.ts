import { InvalidArgumentError } from "./errors.js";

/** Headers as a caller gives them. One that is `undefined` or `null` is left out. */
export type HeadersOption = NonNullable<RequestInit["headers"]> | Record<string, string | null | undefined>;

/** What secrets and tokens are made of (RFC 6749, appendix A: VSCHAR). */
export const printableAscii = /^[\x20-\x7e]+$/;

/** What a bank token may be made of, so that a header can hold it. */
export const visibleAscii = /^[\x21-\x7e]+$/;

/** @throws {InvalidArgumentError} for what is no time that a timer can wait: beyond it they run at once */
export function checkTimeout(field: string, timeoutMs: number): number {
  if (typeof timeoutMs === "number" && timeoutMs > 0 && timeoutMs < 2 ** 31) return timeoutMs;
  throw new InvalidArgumentError(field, "a number of milliseconds above 0 and below 2 ** 31");
}

/** @throws {InvalidArgumentError} for what is no object, or has other fields: what is misspelt would be passed over */
export function checkFields(name: string, value: object, fields: readonly string[]): void {
  if (typeof value !== "object" || value === null) throw new InvalidArgumentError(name, "an object");
  const other = Object.keys(value).find((field) => !fields.includes(field));
  if (other !== undefined) throw new InvalidArgumentError(other, `one of the options ${fields.join(", ")}`);
}

/** Takes a caller's headers once: an iterator can be read only once, and an object may change later. */
export function checkHeaders(headers: HeadersOption | undefined): Record<string, string> {
  // Without any, the platform's fetch implementation need not be loaded yet.
  if (headers === undefined || headers === null) return {};
  try {
    const entries = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
    const given = entries.filter(([, value]) => value !== undefined && value !== null) as [string, string][];
    return Object.fromEntries(new Headers(given));
  } catch {
    // The platform's message would show the value.
    throw new InvalidArgumentError("headers", "names and values that HTTP allows");
  }
}
