import { InvalidArgumentError } from "./errors.js";

/** Headers as a caller passes them. One that is `undefined` or `null` is left out. */
export type HeadersOption = NonNullable<RequestInit["headers"]> | Record<string, string | null | undefined>;

/** The characters of client ids, secrets and customer tokens (RFC 6749, appendix A: VSCHAR). */
export const printableAscii = /^[\x20-\x7e]+$/;

/** The characters of bank tokens, which a header has to hold. */
export const visibleAscii = /^[\x21-\x7e]+$/;

/**
 * Checks a value that a caller passed.
 *
 * @param got The mistake, in words: never the value itself, which may be a secret
 * @throws {InvalidArgumentError} naming the field
 */
export function check(isRight: unknown, field: string, expected: string, got?: string): asserts isRight {
  if (!isRight) throw new InvalidArgumentError(field, expected, got);
}

/** The right value of a field, in words, and a test for it, which may throw if the field has another type. */
export type Rule<T> = readonly [expected: string, isRight: (value: T) => unknown];
export type Rules<T> = { readonly [Field in keyof T]-?: Rule<Exclude<T[Field], undefined>> };

/** Checks an object that a caller passed, and that it has no other fields: a misspelled one would be ignored silently. */
export function checkOptions<T extends object>(options: T, rules: Rules<T>): void {
  check(isObject(options), "options", "an object");
  const other = Object.keys(options).find((field) => !Object.hasOwn(rules, field));
  check(other === undefined, other ?? "", `a known option: ${Object.keys(rules).join(", ")}`);
  checkFields<T>(options, rules);
}

/** Checks the fields that are there. */
export function checkFields<T extends object>(values: T, rules: Partial<Rules<T>>): void {
  for (const field in rules) {
    if (values[field] !== undefined) checkField(values[field], field, rules[field] as Rule<unknown>);
  }
}

export function checkField(value: unknown, field: string, [expected, isRight]: Rule<never>): void {
  let isFine: unknown;
  try {
    isFine = isRight(value as never);
  } catch {
    // It has another type.
  }
  check(isFine, field, expected);
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const isNonEmptyText = (value: unknown): value is string => typeof value === "string" && value !== "";
export const areStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
export const isFunction = (value: unknown) => typeof value === "function";
export const isBoolean = (value: unknown) => typeof value === "boolean";
export const isIntegerFrom = (least: number) => (value: number) => Number.isSafeInteger(value) && value >= least;

export const anything: Rule<unknown> = ["", () => true];
export const booleanRule: Rule<boolean> = ["true or false", isBoolean];
export const functionRule: Rule<unknown> = ["a function", isFunction];
/** A time that a timer can wait: a longer one would fire at once. */
export const timeoutRule: Rule<number> = [
  "a number of milliseconds above 0 and below 2 ** 31",
  (ms) => typeof ms === "number" && ms > 0 && ms < 2 ** 31,
];

/** An object that a caller lends. */
export function withMethods(...names: string[]): Rule<object> {
  const areThere = (value: object) => names.every((name) => isFunction(value[name as keyof object]));
  return [`an object with ${names.map((name) => `${name}()`).join(", ")}`, areThere];
}

/** Checks a string, such as a credential. The error describes the mistake without any part of the string. */
export function checkText(value: unknown, pattern: RegExp, field: string, expected: string): asserts value is string {
  check(typeof value === "string", field, expected, typeof value);
  check(value, field, expected, "nothing");
  check(!/[\r\n]$/.test(value), field, expected, "a line break at its end");
  check(pattern.test(value), field, expected);
}

/** The constraints that a description may put on a string or an array of strings. */
interface Constraints {
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  uniqueItems?: boolean;
}

/**
 * Checks a request as the service does. It may know more values of an enum than this version: they are not compared.
 *
 * @param constraints The generated ones of the request's model; others than these are for the service to check
 * @param optional Properties that may be left out
 */
export function checkRequest<T extends object>(
  request: T,
  constraints: {
    readonly [Field in keyof T]?: T[Field] extends string | readonly string[] | undefined ? Constraints : never;
  },
  optional: readonly (keyof T)[] = [],
): void {
  check(isObject(request), "request", "an object");
  // JSON leaves out inherited properties, such as the getters of a class.
  const sent = { ...request };
  for (const field of Object.keys(constraints) as (keyof T & string)[]) {
    const value: unknown = sent[field];
    if (value === undefined && optional.includes(field)) continue;
    const { minLength = 0, maxLength = Infinity, minItems, uniqueItems }: Constraints = constraints[field] ?? {};
    if (minItems === undefined) {
      const isString = typeof value === "string";
      const length = minLength === maxLength ? minLength : `${minLength} to ${maxLength}`;
      const isRight = isString && value.length >= minLength && value.length <= maxLength;
      check(isRight, field, `a string of ${length} characters`, isString ? `${value.length}` : typeof value);
    } else {
      check(areStrings(value) && value.length >= minItems, field, `an array of at least ${minItems} string`);
      check(!uniqueItems || new Set(value).size === value.length, field, "no duplicates");
    }
  }
}

// They belong to one connection (RFC 9110, section 7.6.1). Some platforms refuse them, and others hang.
export const connectionHeaders =
  /^(?:connection|content-length|expect|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade)$/;

/** @param names In lower case, as `Headers` lists them */
export function checkHeaderNames(names: Iterable<string>): void {
  for (const name of names) {
    check(!connectionHeaders.test(name), "headers", "no header that belongs to the connection", name);
  }
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
