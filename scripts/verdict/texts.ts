import { isDeepStrictEqual } from "node:util";
import type { Json } from "../spec/json.js";
import { type Finding, type Place, quote } from "./findings.js";

/** Texts and examples: they reach docs and comments only. */
const words = new Set(
  "title summary description example examples tags deprecated externalDocs contact license termsOfService bearerFormat $comment".split(
    " ",
  ),
);

export function isWords(key: string): boolean {
  return words.has(key) || key.startsWith("x-");
}

/** What differs between two objects under the keys that no rule covers: texts are patches, anything else one to look at. */
export function restOf(place: Place, before: Json, after: Json, covered: string[] = []): Finding[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((key) => !covered.includes(key) && !isDeepStrictEqual(before[key], after[key]))
    .map((key) => {
      const verb = before[key] === undefined ? "added" : after[key] === undefined ? "removed" : "changed";
      const message = `${quote(key)} ${verb}`;
      return { level: "patch", place, message, ...(!isWords(key) && { review: true as const }) };
    });
}
