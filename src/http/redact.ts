import type { CallContext } from "./deadline.js";
import { connectionHeaders } from "../validate.js";

/** A shorter text is not a secret, and to redact it would spoil statuses and codes. */
const minLength = 4;
/** How many characters one character of a secret takes at most, however it is escaped: `&#x000026;`. */
const maxSpelling = 12;
/** How much of an error's text is kept if it was too long to be read to its end, in characters. */
const maxStart = 2 ** 16;

/**
 * Redacts every known secret, both as it is and as escaped in URLs, forms, HTML, JSON and JSON within JSON, and everything
 * that looks like a JWT. Takes time that is linear in the length of the text.
 */
export function redact(text: string, secrets: readonly string[]): string {
  // In one pass, so that none is found in another's replacement. The longest first, since it may begin with a shorter one.
  const known = [...new Set(secrets)].filter(({ length }) => length >= minLength).sort((a, b) => b.length - a.length);
  const safe = known.length > 0 ? text.replace(new RegExp(known.map(spellings).join("|"), "gi"), "[redacted]") : text;
  // A run of a token's characters at a time: a pattern that begins at every `eyJ` would read the same run again and again.
  return safe.replace(/[\w.-]+/g, (run) => {
    // The header of a JWT is a JSON object in base64.
    const start = run.search(/\beyJ[\w-]/);
    const isWhole = start >= 0 && /\.[\w-]/.test(run.slice(start));
    return isWhole ? `${run.slice(0, start)}[redacted]` : run;
  });
}

/** Redacts a text that was cut off, and removes its end: a secret or a JWT may have begun there. */
export function redactStart(text: string, secrets: readonly string[]): string {
  let end = text.length;
  while (/[\w.-]/.test(text.charAt(end - 1))) end--;
  const safe = redact(text.slice(0, end), secrets);
  const longest = maxSpelling * Math.max(0, ...secrets.map(({ length }) => length));
  return `${safe.slice(0, Math.max(0, Math.min(maxStart, safe.length - longest)))}… [cut off]`;
}

/** A pattern for a secret with each of its special characters escaped or not, since everybody escapes others. */
function spellings(secret: string): string {
  return secret.replace(/\\+|[^A-Za-z0-9]/g, (special, at: number) => {
    const { length } = special;
    const code = special.charCodeAt(0);
    const hex = code.toString(16).padStart(2, "0");
    const escaped = `\\\\{0,2}u00${hex}|%${hex}|&(?:#0{0,4}${code}|#x0{0,4}${hex}|[a-z]{2,4});${special === " " ? "|\\+" : ""}`;
    // All backslashes in a row, from the first one on: there is one way only to match them, and none is tried twice.
    const backslashes = `${at === 0 ? "(?<!\\\\)" : ""}\\\\{${length},}(?!\\\\)`;
    const plain = special.startsWith("\\") ? backslashes : `\\\\{0,3}\\x${hex}`;
    return `(?:${plain}|(?:${escaped}){${length}})`;
  });
}

/** Headers whose values are secret, by their names. */
const secretHeader = /key|token|secret|passw|cookie|authorization|session|signature/;

/** The secrets of a call, those in its headers whole and in parts: a response may repeat one cookie of several. */
export function secretsOf({ secrets, headers = [] as never }: Pick<CallContext, "secrets" | "headers">): string[] {
  const found = [...headers].filter(([name]) => secretHeader.test(name));
  return [...secrets, ...found.flatMap(([, value]) => [value, ...(value.match(/[^\s;,=]{8,}/g) ?? [])])];
}

/** Copies response headers without cookies and without secrets. */
export function redactHeaders(headers: Headers, secrets: readonly string[]): Headers {
  const safe = new Headers();
  for (const [name, value] of headers) {
    if (name !== "set-cookie") safe.append(name, secretHeader.test(name) ? "[redacted]" : redact(value, secrets));
  }
  return safe;
}

/**
 * Copies response headers for an error. If nobody catches it, h3 sends them, and Koa all that `for … in` finds in them, which
 * would be methods. Headers of the connection and of the encoding would break that response.
 */
export function errorHeaders(headers: Headers, call: Pick<CallContext, "secrets" | "headers">): Headers {
  const safe = redactHeaders(headers, secretsOf(call));
  for (const name of headers.keys()) if (connectionHeaders.test(name) || name === "content-encoding") safe.delete(name);
  for (const name in safe) Object.defineProperty(safe, name, { value: safe[name as keyof Headers] });
  return safe;
}

/**
 * Copies the parts of a foreign error that may be shown: name, message, stack, `code`, cause, and the first of an
 * AggregateError's `errors`. The original may carry more, such as the request with its headers.
 */
export function redactCause(error: unknown, secrets: readonly string[], depth = 0): unknown {
  // By its shape: test runners have another realm's `Error`.
  const { name, message, stack, code, cause, errors } = Object(error) as Record<string, unknown>;
  if (typeof message !== "string" || depth > 5) {
    return redact(typeof error === "string" ? error : Object.prototype.toString.call(error), secrets);
  }
  const shown = (text: unknown) => redact(String(text ?? ""), secrets);
  const inner = (value: unknown) => redactCause(value, secrets, depth + 1);
  const hidden = (text: unknown) => ({ value: shown(text), configurable: true, writable: true });
  const safe = new Error(shown(message), cause === undefined ? {} : { cause: inner(cause) });
  Object.defineProperties(safe, { name: hidden(name), stack: hidden(stack) });
  if (typeof code === "string") Object.assign(safe, { code: shown(code) });
  return Array.isArray(errors) ? Object.assign(safe, { errors: errors.slice(0, 4).map(inner) }) : safe;
}
