import { isDeepStrictEqual } from "node:util";
import { entries, asArray } from "../spec/json.js";
import { type Conjunction, areDisjoint } from "./conjunction.js";
import { type Level, type Side, mapBoth } from "./findings.js";

/** How the values that a schema allows change: fewer, more, or others. */
export type Effect = "tightened" | "loosened" | "changed";

/**
 * How a schema counts for the one around it: as it is, the other way round (`not`), both ways (`if`), or not at all
 * (if an alternative allows all of it anyway).
 */
export type Sense = "as is" | "reversed" | "both" | "none";

/** The level at run time: a tighter request breaks callers, a looser response breaks readers. */
export function levelOf(side: Side, sense: Sense, effect: Effect): Level {
  if (sense === "none") return "patch";
  if (effect === "changed" || sense === "both") return "major";
  const isTighter = (effect === "tightened") === (sense === "as is");
  if (side === "response") return isTighter ? "patch" : "major";
  return isTighter ? "major" : "minor";
}

/** How a keyword limits values. */
interface Rule {
  /** The constraint that a value has to satisfy; undefined for none. */
  read(schema: Conjunction): unknown;
  /** Whether every value that satisfies one constraint satisfies the other. */
  isTighter(one: unknown, other: unknown): boolean;
}

/** Bounds of sizes, of which none is below 0, and of numbers. */
const bounds =
  "minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains minimum maximum".split(
    " ",
  );

/** Keywords that say the same under another name. */
const otherNames: Record<string, string> = { enum: "const", minimum: "exclusiveMinimum", maximum: "exclusiveMaximum" };

/** The rules of the keywords that hold no schemas. The others are walked. */
const rules: Record<string, Rule> = {
  type: { read: ({ types }) => types, isTighter: isPart },
  enum: { read: ({ listed }) => listed, isTighter: isPart },
  ...Object.fromEntries(bounds.map((keyword) => [keyword, bound(keyword)])),
  multipleOf: {
    // Integers are multiples of 1.
    ...assertion("multipleOf", (step, schema) => step === 1 && hasIntegers(schema)),
    isTighter: (one, other) =>
      asArray(other).every((step) => asArray(one).some((all) => Number.isInteger(Number(all) / Number(step)))),
  },
  // A pattern that every text matches is not a constraint.
  pattern: assertion("pattern", (pattern) => /^(\^|\$|\^?\(?(\.|\[\\s\\S\])\*\)?\$?)?$/.test(String(pattern))),
  format: {
    // "password" is about showing a value, not about the value.
    ...assertion("format", (format) => format === "password"),
    // Formats whose every value is one of another format too.
    isTighter: (one, other) => isPart(other, one) || ["int32 int64", "float double"].includes(`${one} ${other}`),
  },
  contentEncoding: assertion("contentEncoding"),
  contentMediaType: assertion("contentMediaType"),
  uniqueItems: assertion("uniqueItems", (value) => value !== true),
  required: allOf((schema) => schema.items("required").map(String)),
  dependentRequired: allOf((schema) => schema.values("dependentRequired").flatMap(dependents)),
};

/** The keywords that {@link constraintChanges} compares. */
export const constraintKeywords = [...Object.keys(rules), ...Object.values(otherNames), "nullable"];

/** The type that a keyword is about, if it is about one. */
export const keywordTypes = new Map(
  Object.entries({
    string: "minLength maxLength pattern contentEncoding contentMediaType contentSchema",
    number: "minimum maximum multipleOf",
    array: "minItems maxItems uniqueItems minContains maxContains contains items unevaluatedItems",
    object: `minProperties maxProperties required dependentRequired properties patternProperties additionalProperties
      propertyNames dependentSchemas unevaluatedProperties`,
  }).flatMap(([type, keywords]) => keywords.split(/\s+/).map((keyword) => [keyword, type] as const)),
);

/** Tells of a keyword whether it is about values of the types that two schemas share, or about none at all. */
export function sharedKeywords(one: Conjunction, other: Conjunction): (keyword: string) => boolean {
  const all = mapBoth(one, other, ({ shownTypes }) => shownTypes);
  const isOther = areDisjoint(...all);
  return (keyword) => {
    const type = keywordTypes.get(keyword);
    const [before, after] = all.map((types) => type === undefined || types?.includes(type) !== false);
    return !isOther && before === after;
  };
}

/** A change of a keyword, or of one of the values that it lists. */
export interface ConstraintChange {
  keyword: string;
  effect: Effect;
  before: unknown;
  after: unknown;
  /** The only value that `type` or `enum` adds or removes. */
  value?: { json: unknown };
  /** Whether TypeScript's type changes with it. */
  isShown: boolean;
}

/** The differences between two schemas in keywords that hold no schemas. */
export function constraintChanges(schemaBefore: Conjunction, schemaAfter: Conjunction): ConstraintChange[] {
  const keys = new Set([...schemaBefore.nodes, ...schemaAfter.nodes].flatMap(Object.keys));
  const isShared = sharedKeywords(schemaBefore, schemaAfter);
  return Object.entries(rules).flatMap(([keyword, { read, isTighter }]): ConstraintChange[] => {
    const isType = keyword === "type";
    const otherName = isType ? "nullable" : (otherNames[keyword] ?? keyword);
    if (!(isType || isShared(keyword)) || !(keys.has(keyword) || keys.has(otherName))) return [];
    const [before, after] = mapBoth(schemaBefore, schemaAfter, read);
    if (isDeepStrictEqual(before, after)) return [];
    const isShown = isType ? !isDeepStrictEqual(schemaBefore.shownTypes, schemaAfter.shownTypes) : keyword === "enum";
    const [removed, added] = [without(before, after), without(after, before)];
    const isListed = keyword === "enum" || (isType && [...removed, ...added].join() === "null");
    if (before !== undefined && after !== undefined && isListed)
      return [...removed, ...added].map((text) => {
        const effect = removed.includes(text) ? "tightened" : "loosened";
        return { keyword, effect, before, after, isShown, value: { json: isType ? null : JSON.parse(String(text)) } };
      });
    const isFewer = before === undefined || (after !== undefined && isTighter(after, before));
    const isMore = after === undefined || (before !== undefined && isTighter(before, after));
    const effect = isFewer ? "tightened" : isMore ? "loosened" : "changed";
    const [was, is] = mapBoth(before, after, (value) =>
      keyword === "enum" ? value && `[${String(value)}]` : single(value),
    );
    return [{ keyword, effect, before: was, after: is, isShown }];
  });
}

function without(one: unknown, other: unknown): unknown[] {
  return asArray(one).filter((item) => !asArray(other).includes(item));
}

/** A list's only item, or any other value as it is. */
function single(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}

/** A list of constraints: the more, the tighter. */
function allOf(read: (schema: Conjunction) => unknown[]): Rule {
  const listed = (schema: Conjunction) => [...new Set(read(schema))].sort();
  return {
    read: (schema) => (read(schema).length > 0 ? listed(schema) : undefined),
    isTighter: (one, other) => isPart(other, one),
  };
}

function assertion(keyword: string, hasNoEffect: (value: unknown, schema: Conjunction) => boolean = () => false): Rule {
  return allOf((schema) => schema.values(keyword).filter((value) => !hasNoEffect(value, schema)));
}

/** The pairs of which the second property has to be there if the first is. */
function dependents(value: unknown): string[] {
  return entries(value).flatMap(([name, others]) => asArray(others).map((other) => `${name} → ${String(other)}`));
}

/** Whether each item of a list is in another. Integers are numbers. */
function isPart(one: unknown, other: unknown): boolean {
  const all = asArray(other);
  return asArray(one).every((item) => all.includes(item) || (item === "integer" && all.includes("number")));
}

/** The strictest of the lower or the upper bounds, as "1" or "1, exclusive". */
function bound(keyword: string): Rule {
  const sign = keyword.startsWith("min") ? 1 : -1;
  const isTighter = (one: unknown, other: unknown): boolean => {
    const [[own], [others, othersEnd]] = mapBoth(one, other, (text) => String(text).split(", "));
    const [a, b] = mapBoth(own, others, numeric);
    return (sign > 0 ? a > b : a < b) || (a === b && othersEnd === undefined);
  };
  const exclusive = otherNames[keyword] ?? "";
  const read = (schema: Conjunction): string | undefined => {
    const end = (value: unknown): string =>
      hasIntegers(schema) && Number.isInteger(value) ? String(Number(value) + sign) : `${String(value)}, exclusive`;
    return schema.nodes
      .flatMap(({ [keyword]: value, [exclusive]: other }) => {
        // OpenAPI 3.0 has a flag, which has no effect alone.
        if (typeof other === "boolean") return value === undefined ? [] : [other ? end(value) : String(value)];
        const isSaid = value !== undefined && (keyword.endsWith("imum") || sign < 0 || value !== 0);
        return [...(isSaid ? [String(value)] : []), ...(other === undefined ? [] : [end(other)])];
      })
      .reduce<string | undefined>((best, one) => (best === undefined || isTighter(one, best) ? one : best), undefined);
  };
  return { read, isTighter };
}

function hasIntegers({ types }: Conjunction): boolean {
  return types?.includes("integer") === true;
}

/** Integers that no number can hold are given as text. */
function numeric(text: string | undefined): number | bigint {
  return /^-?\d+$/.test(text ?? "") ? BigInt(text ?? "") : Number(text);
}
