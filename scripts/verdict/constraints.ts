import { isDeepStrictEqual } from "node:util";
import { type Json, entries, list, objects } from "../spec/json.js";
import type { Level, Side } from "./findings.js";
import { arrays, namedSchemas, values } from "./nodes.js";
import { isWords } from "./texts.js";

/** How the values that a schema allows change: fewer, more, or others. */
export type Effect = "tightened" | "loosened" | "changed";

/**
 * How a schema counts for the one around it: as it is, the other way round (`not`), both ways (`if`), or not at all
 * (if an alternative allows all of it anyway).
 */
export type Sense = "as is" | "reversed" | "both" | "none";

/** Callers suffer from a tighter request, readers from a looser answer. */
export function levelOf(side: Side, sense: Sense, effect: Effect): Level {
  if (sense === "none") return "patch";
  if (effect === "changed" || sense === "both") return "major";
  const isTighter = (effect === "tightened") === (sense === "as is");
  if (side === "answer") return isTighter ? "patch" : "major";
  return isTighter ? "major" : "minor";
}

/** How a keyword limits values. */
interface Rule {
  /** What the nodes, all of which a value has to satisfy, ask for; undefined for nothing. */
  read(nodes: Json[]): unknown;
  /** Whether all that one value of the keyword allows is allowed by another. By default neither allows the other. */
  isTighter?(one: unknown, other: unknown): boolean;
  /** What to show of a value, if not itself. */
  show?(value: unknown): unknown;
}

/** Bounds of sizes, of which none is below 0, and of numbers. */
const bounds =
  "minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains minimum maximum".split(
    " ",
  );

/** The keywords that say the same by another name. */
const otherNames: Record<string, string> = { enum: "const", minimum: "exclusiveMinimum", maximum: "exclusiveMaximum" };

/** What a change of a keyword does to the values that a schema allows. Keywords that hold schemas are walked instead. */
const rules: Record<string, Rule> = {
  type: { read: typesOf, isTighter: isPart },
  enum: { read: valuesOf, isTighter: isPart, show: (json) => JSON.parse(String(json)) },
  ...Object.fromEntries(bounds.map((keyword) => [keyword, bound(keyword)])),
  multipleOf: {
    read: (nodes) => combined(nodes, "multipleOf"),
    isTighter: (one, other) =>
      [other].flat().every((step) => [one].flat().some((all) => Number.isInteger(Number(all) / Number(step)))),
  },
  // A pattern that every text matches asks for nothing.
  pattern: assertion("pattern", (pattern) => /^\^?(\(?(\.|\[\\s\\S\])\*\)?)?\$?$/.test(String(pattern))),
  format: {
    // "password" says how to show a value.
    ...assertion("format", (format) => format === "password"),
    // Formats whose every value is one of another format too.
    isTighter: (one, other) => (one === "int32" && other === "int64") || (one === "float" && other === "double"),
  },
  contentEncoding: assertion("contentEncoding"),
  contentMediaType: assertion("contentMediaType"),
  uniqueItems: assertion("uniqueItems", (value) => value !== true),
  dependentRequired: { read: dependents, isTighter: (one, other) => isPart(other, one) },
  dependencies: assertion("dependencies"),
};

/** The keywords that {@link constraintChanges} compares. */
export const constraintKeywords = [...Object.keys(rules), ...Object.values(otherNames), "nullable"];

/** What differs between two schemas, each given as the nodes that a value has to satisfy. */
export function constraintChanges(before: Json[], after: Json[]) {
  const keys = new Set([...before, ...after].flatMap(Object.keys));
  return Object.entries(rules).flatMap(([keyword, { read, isTighter = () => false, show = (one: unknown) => one }]) => {
    if (!keys.has(keyword) && !keys.has(otherNames[keyword] ?? "")) return [];
    const [old, now] = [read(before), read(after)];
    if (isDeepStrictEqual(old, now)) return [];
    const shown = (value: unknown) => (Array.isArray(value) ? single(value.map(show)) : value);
    const isFewer = old === undefined || (now !== undefined && isTighter(now, old));
    const isMore = now === undefined || (old !== undefined && isTighter(old, now));
    const effect: Effect = isFewer ? "tightened" : isMore ? "loosened" : "changed";
    return [{ keyword, effect, before: shown(old), after: shown(now) }];
  });
}

function single(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** A keyword's value, several of them as a list, undefined for none. */
export function combined(nodes: Json[], keyword: string): unknown {
  return single(values(nodes, keyword).length > 0 ? values(nodes, keyword) : undefined);
}

function assertion(keyword: string, asksNothing: (value: unknown) => boolean = () => false): Rule {
  return {
    read: (nodes) =>
      combined(
        nodes.filter((node) => !asksNothing(node[keyword])),
        keyword,
      ),
  };
}

/** The types that all nodes allow, `null` among them. */
export function typesOf(nodes: Json[]): string[] | undefined {
  const typed = nodes.filter(({ type }) => type !== undefined);
  // What says "or null" without a type says so for the others.
  const isNullable = nodes.some(({ type, nullable }) => type === undefined && nullable === true);
  const all = typed.map((node) =>
    [node["type"], isNullable || node["nullable"] === true ? "null" : []].flat(2).map(String),
  );
  const shared = sharedBy(all.map((types) => (types.includes("number") ? [...types, "integer"] : types)));
  return shared?.filter((type) => type !== "integer" || !shared.includes("number"));
}

/** The values that `enum` and `const` list, as JSON. */
export function valuesOf(nodes: Json[]): string[] | undefined {
  const all = [...values(nodes, "enum").map(list), ...values(nodes, "const").map((value) => [value])];
  return sharedBy(all.map((some) => some.map((value) => JSON.stringify(value))));
}

/** What all of some lists hold, in an order of its own; undefined for no lists. */
function sharedBy([first, ...others]: string[][]): string[] | undefined {
  return first && [...new Set(first)].filter((item) => others.every((other) => other.includes(item))).sort();
}

/** The pairs "if this property is there, so has that one to be". */
function dependents(nodes: Json[]): string[] | undefined {
  const all = values(nodes, "dependentRequired").flatMap(entries);
  const pairs = all.flatMap(([name, others]) => list(others).map((other) => `${name} → ${String(other)}`));
  return pairs.length > 0 ? sharedBy([pairs]) : undefined;
}

/** Whether each item of a list is in another. Integers are numbers. */
function isPart(one: unknown, other: unknown): boolean {
  const all = list(other);
  return list(one).every((item) => all.includes(item) || (item === "integer" && all.includes("number")));
}

/** The strictest of the lower or the upper bounds, as "1" or "1, exclusive": that is a number since OpenAPI 3.1. */
function bound(keyword: string): Rule {
  const sign = keyword.startsWith("min") ? 1 : -1;
  const isTighter = (one: unknown, other: unknown): boolean => {
    const [[own, ownEnd], [others, othersEnd]] = [one, other].map((text) => String(text).split(", ")) as [
      string[],
      string[],
    ];
    const [a, b] = [numeric(own), numeric(others)];
    return (sign > 0 ? a > b : a < b) || (a === b && ownEnd !== undefined && othersEnd === undefined);
  };
  const read = (nodes: Json[]): string | undefined => {
    const isInteger = typesOf(nodes)?.join() === "integer";
    const plain = values(nodes, keyword).filter((value) => keyword.endsWith("imum") || sign < 0 || value !== 0);
    const ends = values(nodes, otherNames[keyword] ?? "").map((value) =>
      isInteger && Number.isInteger(value) ? Number(value) + sign : `${String(value)}, exclusive`,
    );
    return [...plain, ...ends]
      .map(String)
      .reduce<string | undefined>((best, one) => (best === undefined || isTighter(one, best) ? one : best), undefined);
  };
  return { read, isTighter };
}

/** Integers that no number can hold come as text. */
function numeric(text: string | undefined): number | bigint {
  return /^-?\d+$/.test(text ?? "") ? BigInt(text ?? "") : Number(text);
}

function disjoint(one: string[] | undefined, other: string[] | undefined): boolean {
  return one !== undefined && other !== undefined && !one.some((item) => other.includes(item));
}

/** Whether they name types of which none is a type of the other. TypeScript knows no integers. */
export function haveOtherTypes(before: Json[], after: Json[]): boolean {
  const types = (nodes: Json[]) => typesOf(nodes)?.map((type) => (type === "integer" ? "number" : type));
  return disjoint(types(before), types(after));
}

/** Whether no value can satisfy both: they name other types, or other values, also of a property that both require. */
export function areApart(before: Json[], after: Json[]): boolean {
  if (haveOtherTypes(before, after) || disjoint(valuesOf(before), valuesOf(after))) return true;
  const properties = namedSchemas(after, "properties");
  return [...namedSchemas(before, "properties")].some(([name, own]) => {
    const isRequired = [before, after].every((nodes) => arrays(nodes, "required").includes(name));
    return isRequired && disjoint(valuesOf(objects(own)), valuesOf(objects(properties.get(name))));
  });
}

/** Whether nodes ask for nothing but a type, and that is the type of others. */
export function isPlain(nodes: Json[], others: Json[]): boolean {
  const types = typesOf(others) ?? valuesOf(others)?.map((value) => typeof JSON.parse(value));
  const wider = typesOf(nodes);
  return (
    nodes.flatMap(Object.keys).every((key) => key === "type" || key === "nullable" || isWords(key)) &&
    (wider === undefined || types?.every((type) => wider.includes(type)) === true)
  );
}
