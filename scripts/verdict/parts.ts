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
export function* partsOf(before: Conjunction, after: Conjunction): Iterable<Part> {
  const [listsBefore, listsAfter] = mapBoth(before, after, itemsOf);
  const positions = Math.max(listsBefore.tuple.length, listsAfter.tuple.length);
  for (const index of [undefined, ...Array(positions).keys()]) {
    const [was, is] = mapBoth(listsBefore, listsAfter, ({ tuple, rest }) =>
      index !== undefined && index < tuple.length ? [tuple[index]] : rest,
    );
    yield { keyword: "items", name: "items", step: `[${index ?? ""}]`, before: was, after: is };
  }
  for (const [keyword, kind] of schemaKeywords) {
    const part = (was: unknown[], is: unknown[], name = keyword): Part => {
      const step = keyword === "additionalProperties" ? "*" : `(${name})`;
      return { keyword, name, step, before: was, after: is };
    };
    const values = mapBoth(before, after, (schema) => schema.values(keyword));
    if (kind === "schema{}" && keyword !== "properties") {
      // Without a pattern, a name is one of the others.
      const [wasOther, isOther] = mapBoth(before, after, (schema) =>
        keyword === "patternProperties" ? schema.values("additionalProperties") : [],
      );
      for (const [name, was = wasOther, is = isOther] of zipByKey(before.named(keyword), after.named(keyword)))
        yield part(was, is, `${keyword} ${name}`);
    } else if (["not", "if", "then", "else", "contains"].includes(keyword)) {
      // Two of them, in two nodes, do not mean the same as one with both contents.
      const { pairs, removed, added } = paired(...values, [isDeepStrictEqual, () => true]);
      for (const [was, is] of pairs) yield part([was], [is]);
      for (const was of removed) yield part([was], []);
      for (const is of added) yield part([], [is]);
    } else if (kind === "schema" && !["items", "additionalItems"].includes(keyword)) yield part(...values);
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
