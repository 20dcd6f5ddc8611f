import { createHash } from "node:crypto";
import { limits } from "./parse.js";

/** Controls of writing direction (Unicode UAX #9): they make code look like something else than it is. */
export const bidi = /[\u202a-\u202e\u2066-\u2069]/gu;

/** Whether text can be an operationId or the name of a component in generated code. */
export function isUsableName(text: string): boolean {
  return /^[A-Za-z_][\w.-]*$/.test(text) && text.length <= limits.nameLength;
}

/** Text as a name that generators take: letters, digits, "_", "." and "-", with a letter or "_" before them. */
export function usableName(text: string): string {
  if (isUsableName(text)) return text;
  const name = text.replace(/[^A-Za-z0-9.-]+/g, "_").replace(/^_+(?=.)|(?<=.)_+$/g, "");
  const whole = /^[A-Za-z_]/.test(name) ? name : `_${name}`;
  return isUsableName(whole) ? whole : `${whole.slice(0, 100)}_${hash(text)}`;
}

/** A few letters and digits that tell texts apart. */
export function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 6);
}

/** Whether secrets may be sent there: encrypted, or to this machine alone. */
export function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || /[{}]|%7b/i.test(text)) return false;
  const isLoopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback);
}
