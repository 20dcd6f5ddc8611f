/** A JSON object of unknown content. */
export type Json = { [key: string]: unknown };

/** An OpenAPI 3.0 or 3.1 document as plain JSON data. Nothing is promised of what stands below its top. */
export type OpenApi = Json & { openapi: string };

/** The way from a document's root to a value: keys, and indexes as numbers. */
export type Path = readonly (string | number)[];

/** A key as a step of a JSON pointer (RFC 6901, section 3). */
export function escapeStep(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The key that a step of a JSON pointer stands for (RFC 6901, section 4). */
export function unescapeStep(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Text of a description inside a message: on one line, without control characters, at most 200 characters. */
export function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value where it is an object, else an empty one. */
export function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

/** The component that a local reference leads into, as ["schemas", "Pet"]; undefined for another place. */
export function componentOf(ref: string): [kind: string, name: string] | undefined {
  const [root, top, kind, name] = steps(ref);
  return root === "#" && top === "components" && kind !== undefined && name !== undefined ? [kind, name] : undefined;
}

function steps(ref: string): string[] {
  return ref.split("/").map((step) => {
    let text = step;
    try {
      text = decodeURIComponent(step);
    } catch {
      // A step that is no percent-encoding stands for itself.
    }
    return unescapeStep(text);
  });
}

/** The value that a local reference leads to, undefined where there is none. */
export function resolve(root: Json, ref: string): unknown {
  return getIn(root, steps(ref).slice(1));
}

/** The value at a path, undefined where there is none. */
export function getIn(root: Json, path: Path): unknown {
  let value: unknown = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Json)[step];
  }
  return value;
}

/** What a discriminator's mapping names, as a reference: it may be a schema's bare name. */
export function mappedRef(value: string): string {
  return /^[A-Za-z0-9._-]+$/.test(value) ? `#/components/schemas/${value}` : value;
}

/** The methods that a path can have. */
export const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
