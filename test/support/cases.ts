import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** The cases of a file in test/fixtures, by their names. */
export function readCases<T>(name: string): [title: string, data: T][] {
  const text = readFileSync(new URL(`../fixtures/${name}.yaml`, import.meta.url), "utf8");
  return Object.entries(parse(text, { merge: true, maxAliasCount: -1 }) as Record<string, T>);
}
