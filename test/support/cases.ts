import { readFileSync } from "node:fs";
import { parse } from "yaml";

/** A part of a description with texts in place of their names, also within others and in keys. */
export function fill<T>(part: T, texts: Record<string, string>): T {
  const json = Object.entries(texts).reduce(
    (all, [name, text]) => all.replaceAll(name, () => JSON.stringify(text).slice(1, -1)),
    JSON.stringify(part),
  );
  return JSON.parse(json) as T;
}

/** A file of test/fixtures. */
export function readFixture<T>(name: string): T {
  const text = readFileSync(new URL(`../fixtures/${name}.yaml`, import.meta.url), "utf8");
  return parse(text, { merge: true, maxAliasCount: -1 }) as T;
}

/** Cases by their names. One with a list `each` is a case for each text, in the place of `$each`. */
export function casesOf<T extends object>(all: Record<string, T & { each?: string[] }>): [title: string, data: T][] {
  return Object.entries(all).flatMap(([title, data]): [string, T][] => {
    const { each, ...rest } = data;
    if (each === undefined) return [[title, data]];
    return each.map((text) => [`${title}: ${JSON.stringify(text)}`, fill(rest as T, { $each: text })]);
  });
}

/** The cases of a file of test/fixtures. */
export const readCases = <T extends object>(name: string) => casesOf(readFixture<Record<string, T>>(name));
