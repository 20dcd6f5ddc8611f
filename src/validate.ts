import { InvalidArgumentError } from "./errors.js";

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
