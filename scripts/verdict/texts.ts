import { isDeepStrictEqual } from "node:util";
import type { Json } from "../spec/json.js";
import { type Finding, type Place, finding, quote } from "./findings.js";

/** Texts and examples: they reach docs and comments only. */
const words =
  /^(title|summary|description|examples?|tags|deprecated|externalDocs|contact|license|termsOfService|bearerFormat|\$comment|x-.*)$/s;

export function isWords(key: string): boolean {
  return words.test(key);
}

/** What differs between two objects under the keys that no rule covers: texts are patches, anything else one to look at. */
export function* restOf(place: Place, before: Json, after: Json, covered: string[] = []): Iterable<Finding> {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (covered.includes(key) || isDeepStrictEqual(before[key], after[key])) continue;
    const verb = before[key] === undefined ? "added" : after[key] === undefined ? "removed" : "changed";
    yield finding("patch", place, `${quote(key)} ${verb}`, isWords(key) ? undefined : "review");
  }
}
