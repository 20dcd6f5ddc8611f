import { isDeepStrictEqual } from "node:util";
import { isObject } from "../spec/json.js";
import { fieldsOf } from "../spec/walk.js";
import type { Conjunction } from "./conjunction.js";
import { isDocumentation, mapBoth, paired, zipByKey } from "./findings.js";

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
  ([keyword, kind]) => kind.startsWith("schema") && !isDocumentation(keyword),
);

/** The parts of values that have no names, and the further constraints, with the schemas of each. */
export function* partsOf(one: Conjunction, other: Conjunction): Iterable<Part> {
  const [lists, others] = mapBoth(one, other, itemsOf);
  const positions = Math.max(lists.tuple.length, others.tuple.length);
  for (const index of [undefined, ...Array(positions).keys()]) {
    const [before, after] = mapBoth(lists, others, ({ tuple, rest }) =>
      index !== undefined && index < tuple.length ? [tuple[index]] : rest,
    );
    yield { keyword: "items", name: "items", step: `[${index ?? ""}]`, before, after };
  }
  for (const [keyword, kind] of schemaKeywords) {
    const part = (before: unknown[], after: unknown[], name = keyword): Part => {
      const step = keyword === "additionalProperties" ? "*" : `(${name})`;
      return { keyword, name, step, before, after };
    };
    const [before, after] = mapBoth(one, other, (schema) => schema.values(keyword));
    if (kind === "schema{}" && keyword !== "properties") {
      // Without a pattern, a name is one of the others.
      const [wasOther, isOther] = mapBoth(one, other, (schema) =>
        keyword === "patternProperties" ? schema.values("additionalProperties") : [],
      );
      for (const [name, was = wasOther, is = isOther] of zipByKey(one.named(keyword), other.named(keyword)))
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

/** How many values a schema allows under its keyword, as far as can be seen. */
export function allowedBy(keyword: string, schema: unknown): "all" | "some" | "none" {
  const isOpen = schema === true || (isObject(schema) && Object.keys(schema).every(isDocumentation));
  const isLimit = isOpen ? keyword === "contains" || keyword === "if" : schema !== false;
  if (isLimit) return "some";
  return isOpen === (keyword === "not") ? "none" : "all";
}
