import { isDeepStrictEqual } from "node:util";
import { type Json, entries, asArray, objectsIn } from "../spec/json.js";
import { type Level, type Side, each, isWords } from "./findings.js";
import { arrays, namedSchemas, values } from "./nodes.js";

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
  /** The demand of the nodes, all of which a value has to satisfy; undefined for none. */
  read(nodes: Json[]): unknown;
  /** Whether all that one value of the keyword allows is allowed by another. By default neither allows the other. */
  isTighter?(one: unknown, other: unknown): boolean;
}

/** Bounds of sizes, of which none is below 0, and of numbers. */
const bounds =
  "minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains minimum maximum".split(
    " ",
  );

/** The keywords that say the same by another name. */
const otherNames: Record<string, string> = { enum: "const", minimum: "exclusiveMinimum", maximum: "exclusiveMaximum" };

/** The rules of the keywords that hold no schemas. The others are walked. */
const rules: Record<string, Rule> = {
  type: { read: typesOf, isTighter: isPart },
  enum: { read: valuesOf, isTighter: isPart },
  ...Object.fromEntries(bounds.map((keyword) => [keyword, bound(keyword)])),
  multipleOf: {
    ...assertion("multipleOf"),
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
  required: {
    read: (nodes) => sharedBy([arrays(nodes, "required").map(String)].filter((names) => names.length > 0)),
    isTighter: (one, other) => isPart(other, one),
  },
  dependentRequired: { read: dependents, isTighter: (one, other) => isPart(other, one) },
  dependencies: assertion("dependencies"),
};

/** The keywords that {@link constraintChanges} compares. */
export const constraintKeywords = [...Object.keys(rules), ...Object.values(otherNames), "nullable"];

/** A keyword, or a value that it lists, that asks for something else of values. */
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

/** The differences of two schemas, each given as the nodes that a value has to satisfy. */
export function constraintChanges(nodesBefore: Json[], nodesAfter: Json[]): ConstraintChange[] {
  const keys = new Set([...nodesBefore, ...nodesAfter].flatMap(Object.keys));
  const isOther = haveOtherTypes(nodesBefore, nodesAfter);
  return Object.entries(rules).flatMap(([keyword, { read, isTighter = () => false }]): ConstraintChange[] => {
    const isType = keyword === "type";
    const otherName = isType ? "nullable" : (otherNames[keyword] ?? keyword);
    if ((isOther && !isType) || !(keys.has(keyword) || keys.has(otherName))) return [];
    const [before, after] = each(nodesBefore, nodesAfter, read);
    if (isDeepStrictEqual(before, after)) return [];
    const isShown = isType ? !isDeepStrictEqual(...each(nodesBefore, nodesAfter, shownTypes)) : keyword === "enum";
    const [removed, added] = [without(before, after), without(after, before)];
    if (
      before !== undefined &&
      after !== undefined &&
      (keyword === "enum" || (isType && [...removed, ...added].join() === "null"))
    )
      return [...removed, ...added].map((one) => {
        const effect = removed.includes(one) ? "tightened" : "loosened";
        return { keyword, effect, before, after, isShown, value: { json: isType ? null : JSON.parse(String(one)) } };
      });
    const isFewer = before === undefined || (after !== undefined && isTighter(after, before));
    const isMore = after === undefined || (before !== undefined && isTighter(before, after));
    const effect = isFewer ? "tightened" : isMore ? "loosened" : "changed";
    const [was, is] = each(before, after, (value) => (keyword === "enum" ? parsed(value) : single(value)));
    return [{ keyword, effect, before: was, after: is, isShown }];
  });
}

function parsed(texts: unknown): unknown {
  return texts && asArray(texts).map((json) => JSON.parse(String(json)) as unknown);
}

function without(one: unknown, other: unknown): unknown[] {
  return asArray(one).filter((item) => !asArray(other).includes(item));
}

/** A list's only item, or any other value as it is. */
export function single(value: unknown): unknown {
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

/** The types that all nodes allow, `null` among them; those of the listed values if no node names any. */
export function typesOf(nodes: Json[]): string[] | undefined {
  const typed = nodes.filter(({ type }) => type !== undefined);
  // What says "or null" without a type says so for the others.
  const isNullable = nodes.some(({ type, nullable }) => type === undefined && nullable === true);
  const all = typed.map((node) =>
    [node["type"], isNullable || node["nullable"] === true ? "null" : []].flat(2).map(String),
  );
  const shared = sharedBy(all.map((types) => (types.includes("number") ? [...types, "integer"] : types)));
  const named = shared?.filter((type) => type !== "integer" || !shared.includes("number"));
  const listed = valuesOf(nodes)?.map(typeOf);
  return named ?? (listed && sharedBy([listed]));
}

function typeOf(json: string): string {
  return json === "null" ? json : json.startsWith("[") ? "array" : typeof JSON.parse(json);
}

/** The values that `enum` and `const` list, as JSON. */
export function valuesOf(nodes: Json[]): string[] | undefined {
  const all = [...values(nodes, "enum").map(asArray), ...values(nodes, "const").map((value) => [value])];
  return sharedBy(all.map((some) => some.map((value) => JSON.stringify(value))));
}

/** The items that are in all of some lists, in an order that does not depend on theirs; undefined for no lists. */
function sharedBy([first, ...others]: string[][]): string[] | undefined {
  return first && [...new Set(first)].filter((item) => others.every((other) => other.includes(item))).sort();
}

/** The pairs "if this property is there, so has that one to be". */
function dependents(nodes: Json[]): string[] | undefined {
  const all = values(nodes, "dependentRequired").flatMap(entries);
  const pairs = all.flatMap(([name, others]) => asArray(others).map((other) => `${name} → ${String(other)}`));
  return pairs.length > 0 ? sharedBy([pairs]) : undefined;
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
    const [[own, ownEnd], [others, othersEnd]] = [one, other].map((text) => String(text).split(", ")) as [
      string[],
      string[],
    ];
    const [a, b] = [numeric(own), numeric(others)];
    return (sign > 0 ? a > b : a < b) || (a === b && ownEnd !== undefined && othersEnd === undefined);
  };
  const exclusive = otherNames[keyword] ?? "";
  const read = (nodes: Json[]): string | undefined => {
    const isInteger = typesOf(nodes)?.join() === "integer";
    const end = (value: unknown): string =>
      isInteger && Number.isInteger(value) ? String(Number(value) + sign) : `${String(value)}, exclusive`;
    return nodes
      .flatMap(({ [keyword]: value, [exclusive]: other }) => {
        // OpenAPI 3.0 has a flag, which says nothing alone.
        if (typeof other === "boolean") return value === undefined ? [] : [other ? end(value) : String(value)];
        const isSaid = value !== undefined && (keyword.endsWith("imum") || sign < 0 || value !== 0);
        return [...(isSaid ? [String(value)] : []), ...(other === undefined ? [] : [end(other)])];
      })
      .reduce<string | undefined>((best, one) => (best === undefined || isTighter(one, best) ? one : best), undefined);
  };
  return { read, isTighter };
}

/** Integers that no number can hold come as text. */
function numeric(text: string | undefined): number | bigint {
  return /^-?\d+$/.test(text ?? "") ? BigInt(text ?? "") : Number(text);
}

function areDisjoint(one: string[] | undefined, other: string[] | undefined): boolean {
  return one !== undefined && other !== undefined && !one.some((item) => other.includes(item));
}

/** The types as TypeScript has them: it knows no integers. */
export function shownTypes(nodes: Json[]): string[] | undefined {
  return typesOf(nodes)?.map((type) => (type === "integer" ? "number" : type));
}

/** Whether they name types of which none is a type of the other. */
export function haveOtherTypes(before: Json[], after: Json[]): boolean {
  return areDisjoint(shownTypes(before), shownTypes(after));
}

/** Whether no value can satisfy both: they name other types, or other values, also of a property that both require. */
export function areApart(before: Json[], after: Json[]): boolean {
  if (haveOtherTypes(before, after) || areDisjoint(valuesOf(before), valuesOf(after))) return true;
  const [one, other] = each(before, after, (nodes) => namedSchemas(nodes, "properties"));
  return [...one].some(([name, own]) => {
    const isRequired = [before, after].every((nodes) => arrays(nodes, "required").includes(name));
    return isRequired && areDisjoint(valuesOf(objectsIn(own)), valuesOf(objectsIn(other.get(name))));
  });
}

/** Whether nodes ask for nothing but a type, and that is the type of others. */
export function isPlain(nodes: Json[], others: Json[]): boolean {
  const wider = typesOf(nodes);
  return (
    nodes.flatMap(Object.keys).every((key) => key === "type" || key === "nullable" || isWords(key)) &&
    (wider === undefined || typesOf(others)?.every((type) => wider.includes(type)) === true)
  );
}
