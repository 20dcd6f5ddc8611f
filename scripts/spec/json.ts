/** A JSON object of unknown content. */
export type Json = { [key: string]: unknown };

/** An OpenAPI 3 document as plain JSON data. Nothing is promised of the values below its top. */
export type OpenApi = Json & { openapi: string };

/** The way from a document's root to a value: keys, and indexes as numbers. */
export type Path = readonly (string | number)[];

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value if it is an object, else an empty one. */
export function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}

/** The keys of an object with their values; none of another value. */
export function entries(value: unknown): [key: string, value: unknown][] {
  return Object.entries(asObject(value));
}

/** The value if it is a list, else an empty one. */
export function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The members of a list that are objects. */
export function objectsIn(value: unknown): Json[] {
  return asArray(value).filter(isObject);
}

/** The schemas in a description's components, by name. */
export function schemasOf(spec: OpenApi): Json {
  return asObject(asObject(spec["components"])["schemas"]);
}

/** Text of a description inside a message: on one line, without control characters, at most 200 characters. */
export function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** A key as a step of a JSON pointer (RFC 6901, section 3). */
export function escapeStep(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** A "%" that encodes nothing. */
export const strayPercent = /%(?![0-9A-Fa-f]{2})/g;

/** Text without percent-encoding; undefined if it has another "%". */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The keys that a local reference leads through, after its "#" (RFC 6901, section 4). */
export function steps(ref: string): string[] {
  const [, ...all] = ref.split("/");
  return all.map((step) => (decoded(step) ?? step).replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The component that a local reference leads into, as ["schemas", "Pet"]; undefined for another place. */
export function componentOf(ref: string): [kind: string, name: string] | undefined {
  const [top, kind, name] = steps(ref);
  return ref.startsWith("#/") && top === "components" && kind !== undefined && name !== undefined
    ? [kind, name]
    : undefined;
}

/** The value at a path, undefined if there is none. */
export function getIn(root: Json, path: Path): unknown {
  let value: unknown = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Json)[step];
  }
  return value;
}

/** The value that a local reference leads to, undefined if there is none. */
export function resolve(root: Json, ref: string): unknown {
  return getIn(root, steps(ref));
}

/** A JSON value as text that is equal for another order of keys and items. */
export function unordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(unordered).sort().join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "";
  const fields = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${unordered(item)}`);
  return `{${fields.sort().join()}}`;
}

/** The object at the end of a value's `$ref`s, as far as they lead; an empty one if there is none. */
export function follow(root: Json, value: unknown): Json {
  const visited = new Set<unknown>();
  let found = value;
  while (isObject(found) && typeof found["$ref"] === "string" && !visited.has(found)) {
    visited.add(found);
    found = resolve(root, found["$ref"]);
  }
  return asObject(found);
}

/** A value of a discriminator's mapping as a reference: it may be a schema's bare name. */
export function mappedRef(value: string): string {
  return /^[A-Za-z0-9._-]+$/.test(value) ? `#/components/schemas/${value}` : value;
}

/**
 * A copy without bigints, which are the integers whose digits a number cannot hold. `as` returns the value that replaces
 * one. Of values that become the same, an `enum` keeps one.
 */
export function withoutBigints<T>(value: T, as: (integer: bigint) => number | string): T {
  const copy = (part: unknown, key?: string): unknown => {
    if (typeof part === "bigint") return as(part);
    if (Array.isArray(part)) {
      const items = part.map((item) => copy(item));
      return key === "enum" && part.some((item) => typeof item === "bigint") ? [...new Set(items)] : items;
    }
    if (!isObject(part)) return part;
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [name, copy(member, name)]));
  };
  return copy(value) as T;
}
