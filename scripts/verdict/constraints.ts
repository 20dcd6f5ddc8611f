import { isDeepStrictEqual } from "node:util";
import { type Json, entries, list } from "../spec/json.js";
import type { Level, Side } from "./findings.js";
import { values } from "./nodes.js";

/** How the values that a schema allows change: fewer, more, or others. */
export type Effect = "tightened" | "loosened" | "changed";

/**
 * How a schema counts for the one around it: as it is, the other way round (`not`), both ways (`if`), or not at all
 * (beside an alternative that allows all of it).
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
}

/** A keyword by which a schema allows other values than before. */
export interface ConstraintChange {
  keyword: string;
  effect: Effect;
  before: unknown;
  after: unknown;
}

/** What a change of a keyword does to the values that a schema allows. Keywords that hold schemas are walked instead. */
const rules: Record<string, Rule> = {
  type: { read: typesOf, isTighter: isPart },
  enum: { read: listed, isTighter: isPart },
  minimum: bound("minimum", 1),
  maximum: bound("maximum", -1),
  minLength: bound("minLength", 1),
  maxLength: bound("maxLength", -1),
  minItems: bound("minItems", 1),
  maxItems: bound("maxItems", -1),
  minProperties: bound("minProperties", 1),
  maxProperties: bound("maxProperties", -1),
  minContains: bound("minContains", 1),
  maxContains: bound("maxContains", -1),
  multipleOf: {
    read: (nodes) => combined(nodes, "multipleOf"),
    isTighter: (one, other) =>
      [other].flat().every((step) => [one].flat().some((all) => Number.isInteger(Number(all) / Number(step)))),
  },
  // A pattern that every text matches asks for nothing.
  pattern: asserted("pattern", (pattern) => /^\^?(\(?(\.|\[\\s\\S\])\*\)?)?\$?$/.test(String(pattern))),
  format: {
    // "password" says how to show a value.
    ...asserted("format", (format) => format === "password"),
    // Formats whose every value is one of another format too.
    isTighter: (one, other) => (one === "int32" && other === "int64") || (one === "float" && other === "double"),
  },
  contentEncoding: asserted("contentEncoding"),
  contentMediaType: asserted("contentMediaType"),
  uniqueItems: asserted("uniqueItems", (value) => value !== true),
  dependentRequired: {
    read: dependents,
    isTighter: (one, other) => list(other).every((two) => list(one).includes(two)),
  },
  dependencies: asserted("dependencies"),
};

/** The keywords that {@link constraintChanges} compares. */
export const constraintKeywords = [...Object.keys(rules), "exclusiveMinimum", "exclusiveMaximum", "const", "nullable"];

/** What differs between two schemas, each given as the nodes that a value has to satisfy. */
export function constraintChanges(before: Json[], after: Json[]): ConstraintChange[] {
  return Object.entries(rules).flatMap(([keyword, { read, isTighter = () => false }]): ConstraintChange[] => {
    const [old, now] = [read(before), read(after)];
    if (isDeepStrictEqual(old, now)) return [];
    return [{ keyword, effect: effectOf(old, now, isTighter), before: words(old), after: words(now) }];
  });
}

function effectOf(before: unknown, after: unknown, isTighter: (one: unknown, other: unknown) => boolean): Effect {
  if (before === undefined || (after !== undefined && isTighter(after, before))) return "tightened";
  return after === undefined || isTighter(before, after) ? "loosened" : "changed";
}

/** A keyword's value, several of them as a list, undefined for none. */
export function combined(nodes: Json[], keyword: string): unknown {
  const all = values(nodes, keyword);
  return all.length > 1 ? all : all[0];
}

function asserted(keyword: string, asksNothing: (value: unknown) => boolean = () => false): Rule {
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
  const all = nodes.filter(({ type }) => type !== undefined);
  const sets = all.map(({ type, nullable }) => [type, nullable === true ? ["null"] : []].flat(2).map(String));
  const [first, ...others] = sets.map((set) => (set.includes("number") ? [...set, "integer"] : set));
  const shared = first?.filter((type) => others.every((other) => other.includes(type)));
  const isWhole = (type: string): boolean => type !== "integer" || shared?.includes("number") !== true;
  return shared && [...new Set(shared)].filter(isWhole).sort();
}

/** The values that `enum` and `const` list, as JSON. */
export function listed(nodes: Json[]): string[] | undefined {
  const lists = nodes.flatMap((node) => [
    ...values([node], "enum").map(list),
    ...values([node], "const").map((value) => [value]),
  ]);
  const [first, ...others] = lists.map((all) => all.map((value) => JSON.stringify(value)));
  return first && [...new Set(first)].filter((value) => others.every((other) => other.includes(value))).sort();
}

/** The pairs "if this property is there, so has that one to be". */
function dependents(nodes: Json[]): string[] | undefined {
  const named = values(nodes, "dependentRequired").flatMap(entries);
  const all = named.flatMap(([name, others]) => list(others).map((other) => `${name} → ${String(other)}`));
  return all.length > 0 ? [...new Set(all)].sort() : undefined;
}

/** Whether each item of a list is in another. Integers are numbers. */
function isPart(one: unknown, other: unknown): boolean {
  const all = list(other);
  return list(one).every((item) => all.includes(item) || (item === "integer" && all.includes("number")));
}

class Bound {
  readonly value: number | bigint;
  readonly isExclusive: boolean;

  constructor(value: number | bigint, isExclusive: boolean) {
    this.value = value;
    this.isExclusive = isExclusive;
  }
}

/** The strictest lower (1) or upper bound (-1). An exclusive one is told by a number: see {@link normalized}. */
function bound(keyword: string, sign: 1 | -1): Rule {
  const isStricter = (one: Bound, other: Bound): boolean =>
    (sign > 0 ? one.value > other.value : one.value < other.value) ||
    (one.value === other.value && one.isExclusive && !other.isExclusive);
  const isNumber = keyword.endsWith("imum");
  const read = (nodes: Json[]): Bound | undefined => {
    const isInteger = typesOf(nodes)?.join() === "integer";
    const plain = values(nodes, keyword).map(sized);
    const exclusive = values(nodes, `exclusive${keyword[0]?.toUpperCase()}${keyword.slice(1)}`).map(sized);
    const all = [
      // A size is never below 0.
      ...plain.filter(isSize).map((value) => new Bound(value, false)),
      ...(isNumber ? exclusive.filter(isSize).map((value) => new Bound(value, true)) : []),
    ].filter(({ value }) => isNumber || sign < 0 || value > 0);
    const whole = ({ value, isExclusive }: Bound): Bound =>
      new Bound(isExclusive ? (typeof value === "bigint" ? value + BigInt(sign) : value + sign) : value, false);
    const comparable = isInteger ? all.map((one) => (isWhole(one.value) ? whole(one) : one)) : all;
    return comparable.reduce<Bound | undefined>(
      (best, one) => (!best || isStricter(one, best) ? one : best),
      undefined,
    );
  };
  return { read, isTighter: (one, other) => one instanceof Bound && other instanceof Bound && isStricter(one, other) };
}

/** Integers that no number can hold come as text. */
function sized(value: unknown): unknown {
  return typeof value === "string" && /^-?\d+$/.test(value) ? BigInt(value) : value;
}

function isSize(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function isWhole(value: number | bigint): boolean {
  return typeof value === "bigint" || Number.isInteger(value);
}

function words(value: unknown): unknown {
  if (value instanceof Bound) return `${value.value}${value.isExclusive ? ", exclusive" : ""}`;
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}
