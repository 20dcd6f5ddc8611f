import { isDeepStrictEqual } from "node:util";
import type { Json } from "../spec/json.js";
import { type Place, type Tell, quote } from "./findings.js";

/** Texts and examples: they reach docs and comments only. */
const texts = new Set(
  "title summary description example examples tags deprecated externalDocs contact license termsOfService bearerFormat".split(
    " ",
  ),
);

/** Tells of a key that no rule of its own covers: a text is a patch, anything else a patch to look at. */
export function tellText(tell: Tell, place: Place, key: string, was: unknown, is: unknown): void {
  if (isDeepStrictEqual(was, is)) return;
  const verb = was === undefined ? "added" : is === undefined ? "removed" : "changed";
  const known = texts.has(key) || key.startsWith("x-");
  tell("patch", place, `${quote(key)} ${verb}`, known ? undefined : { review: true });
}

/** {@link tellText} for every key but those in `covered`. */
export function tellRest(tell: Tell, place: Place, was: Json, is: Json, covered: string[]): void {
  for (const key of Object.keys({ ...was, ...is }))
    if (!covered.includes(key)) tellText(tell, place, key, was[key], is[key]);
}
