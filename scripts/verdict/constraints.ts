import { isDeepStrictEqual } from "node:util";
import type { Json } from "../spec/json.js";
import type { Level, Side } from "./findings.js";

/** How the values that a schema allows change: fewer, more, or others. */
export type Effect = "tightened" | "loosened" | "changed";

/** The effect of one value of a keyword in the place of another. */
type Judge = (old: unknown, now: unknown) => Effect;

/** A keyword by which a schema allows other values than before. */
export interface ConstraintChange {
  keyword: string;
  effect: Effect;
  was: unknown;
  is: unknown;
}

/** Callers suffer from a tighter request, readers from a looser answer. */
export function levelOf(side: Side, effect: Effect): Level {
  if (effect === "changed") return "major";
  if (side === "answer") return effect === "loosened" ? "major" : "patch";
  return effect === "tightened" ? "major" : "minor";
}

/** Lower bounds (1) and upper ones (-1). */
const bounds = ["Length", "Items", "Properties", "Contains", "imum"].flatMap((size): [string, 1 | -1][] => [
  [`min${size}`, 1],
  [`max${size}`, -1],
]);
const exclusive: Record<string, string> = { minimum: "exclusiveMinimum", maximum: "exclusiveMaximum" };

/** Assertions whose values have no order: there or not, the same or not. */
const assertions =
  "format multipleOf pattern contentEncoding contentMediaType contentSchema not if then else contains propertyNames patternProperties dependentRequired dependentSchemas dependencies unevaluatedItems unevaluatedProperties".split(
    " ",
  );

/** The keywords that {@link constraintChanges} compares. */
export const constraintKeywords = [
  ...bounds.map(([keyword]) => keyword),
  ...Object.values(exclusive),
  ...assertions,
  "uniqueItems",
  "additionalProperties",
];

/** What differs between two schemas, each given as the nodes that a value has to satisfy. */
export function constraintChanges(was: Json[], is: Json[]): ConstraintChange[] {
  const changes: ConstraintChange[] = [];
  const compare = (keyword: string, old: unknown, now: unknown, effect: Judge): void => {
    if (isDeepStrictEqual(old, now)) return;
    const known = old === undefined ? "tightened" : now === undefined ? "loosened" : effect(old, now);
    changes.push({ keyword, effect: known, was: old, is: now });
  };
  for (const [keyword, sign] of bounds) {
    const [old, now] = [bound(was, keyword, sign), bound(is, keyword, sign)];
    compare(keyword, words(old), words(now), () => (old && now && stricter(now, old, sign) ? "tightened" : "loosened"));
  }
  const flags = { uniqueItems: true, additionalProperties: false, items: false };
  for (const [keyword, value] of Object.entries(flags)) {
    const holds = (nodes: Json[]): unknown => (values(nodes, keyword).includes(value) ? value : undefined);
    compare(keyword, holds(was), holds(is), () => "changed");
  }
  for (const keyword of assertions) compare(keyword, asserted(was, keyword), asserted(is, keyword), effectOf(keyword));
  const [old, now] = [numberType(was), numberType(is)];
  if (old !== undefined && now !== undefined)
    compare("type", old, now, () => (now === "integer" ? "tightened" : "loosened"));
  return changes;
}

/** By which an assertion's value is tighter than another. */
const tighter: Record<string, (one: unknown, other: unknown) => boolean> = {
  // Formats whose every value is one of another format too.
  format: (one, other) => (one === "int32" && other === "int64") || (one === "float" && other === "double"),
  multipleOf: (one, other) =>
    [other].flat().every((step) => [one].flat().some((all) => Number.isInteger(Number(all) / Number(step)))),
};

function effectOf(keyword: string): Judge {
  const isTighter = tighter[keyword] ?? (() => false);
  return (old, now) => {
    if (isTighter(now, old)) return "tightened";
    return isTighter(old, now) ? "loosened" : "changed";
  };
}

/** The values that nodes give a keyword. */
export function values(nodes: Json[], keyword: string): unknown[] {
  return nodes.flatMap((node) => (Object.hasOwn(node, keyword) && node[keyword] !== undefined ? [node[keyword]] : []));
}

/** A keyword's value, several of them as a list, undefined for none. */
export function combined(nodes: Json[], keyword: string): unknown {
  const all = values(nodes, keyword);
  return all.length > 1 ? all : all[0];
}

/** An assertion's value, undefined for a pattern that every text matches. */
function asserted(nodes: Json[], keyword: string): unknown {
  const isEmpty = ({ pattern }: Json) => /^\^?(\(?(\.|\[\\s\\S\])\*\)?)?\$?$/.test(String(pattern));
  return combined(keyword === "pattern" ? nodes.filter((node) => !isEmpty(node)) : nodes, keyword);
}

interface Bound {
  value: number | bigint;
  exclusive: boolean;
}

/** The strictest bound, where OpenAPI 3.0 says "exclusive" by a flag and 3.1 by a number. */
function bound(nodes: Json[], keyword: string, sign: 1 | -1): Bound | undefined {
  const found = nodes.flatMap((node): Bound[] => {
    const [plain, other] = [node[keyword], node[exclusive[keyword] ?? ""]].map(sized);
    const all: Bound[] = [];
    // A size is never below 0.
    if (isSize(plain) && (plain > 0 || sign < 0 || keyword === "minimum"))
      all.push({ value: plain, exclusive: other === true });
    if (isSize(other)) all.push({ value: other, exclusive: true });
    return all;
  });
  return found.reduce<Bound | undefined>((best, one) => (!best || stricter(one, best, sign) ? one : best), undefined);
}

/** Integers that no number can hold come as text. */
function sized(value: unknown): unknown {
  return typeof value === "string" && /^-?\d+$/.test(value) ? BigInt(value) : value;
}

function isSize(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function stricter(one: Bound, other: Bound, sign: 1 | -1): boolean {
  const isFurther = sign > 0 ? one.value > other.value : one.value < other.value;
  return isFurther || (one.value === other.value && one.exclusive);
}

function words(one: Bound | undefined): string | undefined {
  return one && `${one.value}${one.exclusive ? ", exclusive" : ""}`;
}

/** "integer" or "number", undefined for what is neither. */
function numberType(nodes: Json[]): string | undefined {
  const types = values(nodes, "type").flat();
  return types.includes("integer") ? "integer" : types.includes("number") ? "number" : undefined;
}
