import { isDeepStrictEqual } from "node:util";
import { isObject } from "../spec/json.js";
import { fieldsOf } from "../spec/walk.js";
import type { Conjunction } from "./conjunction.js";
import { both, each, isWords, paired } from "./findings.js";

/** The schemas of one keyword, or of one part of a value, before and after the change. */
export interface Part {
  keyword: string;
  /** The keyword, and the name below it if it has names. */
  name: string;
  /** The step to it, as in "[]" or "(not)". */
  step: string;
  before: unknown[];
  after: unknown[];
}

/** The keywords that hold schemas, without those that are only texts. */
export const schemaKeywords = [...fieldsOf("schema")].filter(
  ([keyword, kind]) => kind.startsWith("schema") && !isWords(keyword),
);

/** The parts of values that have no names, and the further constraints, with the schemas of each. */
export function* partsOf(one: Conjunction, other: Conjunction): Iterable<Part> {
  const [lists, others] = each(one, other, itemsOf);
  const positions = Math.max(lists.tuple.length, others.tuple.length);
  for (const index of [undefined, ...Array(positions).keys()]) {
    const [before, after] = each(lists, others, ({ tuple, rest }) =>
      index !== undefined && index < tuple.length ? [tuple[index]] : rest,
    );
    yield { keyword: "items", name: "items", step: `[${index ?? ""}]`, before, after };
  }
  for (const [keyword, kind] of schemaKeywords) {
    const part = (before: unknown[], after: unknown[], name = keyword): Part => {
      const step = keyword === "additionalProperties" ? "*" : `(${name})`;
      return { keyword, name, step, before, after };
    };
    const [before, after] = each(one, other, (schema) => schema.values(keyword));
    if (kind === "schema{}" && keyword !== "properties") {
      // Without a pattern, a name is one of the others.
      const [wasOther, isOther] = each(one, other, (schema) =>
        keyword === "patternProperties" ? schema.values("additionalProperties") : [],
      );
      for (const [name, was = wasOther, is = isOther] of both(one.named(keyword), other.named(keyword)))
        yield part(was, is, `${keyword} ${name}`);
    } else if (["not", "if", "then", "else", "contains"].includes(keyword)) {
      // Two of them, in two nodes, do not mean the same as one with both contents.
      const { pairs, removed, added } = paired(before, after, [isDeepStrictEqual, () => true]);
      for (const [was, is] of pairs) yield part([was], [is]);
      for (const was of removed) yield part([was], []);
      for (const is of added) yield part([], [is]);
    } else if (kind === "schema" && !["items", "additionalItems"].includes(keyword)) yield part(before, after);
  }
}

/** The schemas of a list's items: those at a tuple's positions, and that of all others. */
function itemsOf(schema: Conjunction): { tuple: unknown[]; rest: unknown[] } {
  const isOldTuple = schema.values("items").some(Array.isArray);
  return {
    tuple: schema.items(isOldTuple ? "items" : "prefixItems"),
    rest: schema.values(isOldTuple ? "additionalItems" : "items"),
  };
}

/** Whether a schema under a keyword allows every value; or no value, if `isClosed`. */
export function asksNothing(keyword: string, schema: unknown, isClosed = false): boolean {
  const isOpen = schema === true || (isObject(schema) && Object.keys(schema).every(isWords));
  if (isClosed === (keyword === "not")) return isOpen && keyword !== "contains" && keyword !== "if";
  return schema === false;
}
