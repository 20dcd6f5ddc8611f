import { type Json, type OpenApi, componentOf, entries, isObject, list, object, resolve } from "../spec/json.js";
import { each } from "./findings.js";
import { isWords } from "./texts.js";

/** A schema with all that `$ref` and `allOf` add to it: a value has to satisfy every node. */
export interface Conjunction {
  nodes: Json[];
  /** The schemas in `components` that it came by. */
  names: string[];
  /** The members of its `oneOf` and `anyOf`. */
  alternatives: unknown[];
  /** What OpenAPI 3.0 ignores, because it is beside a `$ref`. */
  ignored: Json;
}

/** The values that nodes give a keyword. */
export function values(nodes: Json[], keyword: string): unknown[] {
  return nodes.filter((node) => Object.hasOwn(node, keyword)).map((node) => node[keyword]);
}

/** The items of all arrays that nodes give a keyword. */
export function arrays(nodes: Json[], keyword: string): unknown[] {
  return values(nodes, keyword).flatMap(list);
}

export function conjunction(spec: OpenApi, schemas: unknown[]): Conjunction {
  const found: Conjunction = { nodes: [], names: [], alternatives: [], ignored: {} };
  const isRefAlone = spec.openapi.startsWith("3.0");
  const add = (schema: unknown): void => {
    const node = schema === false ? nothing : object(schema);
    if (found.nodes.includes(node)) return;
    const { $ref: ref, ...rest } = node;
    if (typeof ref === "string") {
      const name = schemaName(ref);
      if (found.names.includes(name)) return;
      found.names.push(name);
      add(resolve(spec, ref));
      if (isRefAlone) return void Object.assign(found.ignored, rest);
    }
    if (Object.keys(rest).length > 0) found.nodes.push(node);
    for (const part of arrays([node], "allOf")) add(part);
    for (const keyword of ["oneOf", "anyOf"]) {
      const members = arrays([node], keyword);
      // "This or null" is OpenAPI 3.1's `nullable`: what holds for "this" holds.
      const solid = members.filter((one) => object(one)["type"] !== "null");
      if (solid.length === 1 && members.length > 1) [solid[0], orNull].forEach(add);
      else found.alternatives.push(...solid);
    }
  };
  for (const schema of schemas) add(schema);
  return found;
}

const nothing: Json = { not: {} };
const orNull: Json = { nullable: true };

/** A node without what a {@link Conjunction} has taken apart already. The same node always gives the same object. */
export function bare(node: Json): Json {
  const { $ref: _, allOf: _all, oneOf: _one, anyOf: _any, ...rest } = node;
  const known = bareNodes.get(node) ?? rest;
  bareNodes.set(node, known);
  return known;
}

const bareNodes = new WeakMap<Json, Json>();

/** What a `$ref` leads to, by its name in `components` if it has one. */
function schemaName(ref: string): string {
  return componentOf(ref)?.[1] ?? ref;
}

/** The name of the schema that a reference leads to, undefined for a schema in its place. */
export function nameOf(schema: unknown): string | undefined {
  const { $ref: ref } = object(schema);
  return typeof ref === "string" ? schemaName(ref) : undefined;
}

/** The schemas that nodes give under each name of a keyword such as `properties`. */
export function namedSchemas(nodes: Json[], keyword: string): Map<string, unknown[]> {
  const named = new Map<string, unknown[]>();
  for (const [name, schema] of values(nodes, keyword).flatMap(entries))
    named.set(name, [...(named.get(name) ?? []), schema]);
  return named;
}

/** The schemas of lists' items: those that no tuple describes, as "[]", and a tuple's by their positions. */
export function* itemsOf(old: Json[], now: Json[]): Iterable<[step: string, before: unknown[], after: unknown[]]> {
  const [before, after] = each(old, now, (nodes) => {
    const isOldTuple = values(nodes, "items").some(Array.isArray);
    const rest = values(nodes, isOldTuple ? "additionalItems" : "items");
    return { tuple: arrays(nodes, isOldTuple ? "items" : "prefixItems"), rest };
  });
  yield ["[]", before.rest, after.rest];
  const at = ({ tuple, rest }: typeof before, index: number) => (index < tuple.length ? [tuple[index]] : rest);
  for (let index = 0; index < Math.max(before.tuple.length, after.tuple.length); index++)
    yield [`[${index}]`, at(before, index), at(after, index)];
}

/** The words that a schema uses for what it says, without their order and without what is below. */
export function shape({ nodes, names }: Conjunction, words: (key: string) => boolean): string {
  const distinct = (all: unknown[]): string[] => [...new Set(all.map((one) => JSON.stringify(one)))].sort();
  const unions = (keyword: string) => arrays(nodes, keyword).map((one, index) => nameOf(one) ?? String(index + 1));
  return JSON.stringify([
    distinct(names),
    distinct(nodes.flatMap(Object.keys).filter((key) => !words(key))),
    distinct(values(nodes, "type").flat()),
    distinct(["discriminator", "nullable"].map((keyword) => values(nodes, keyword))),
    ["allOf", "prefixItems"].map((keyword) => values(nodes, keyword).flat().length),
    distinct(unions("oneOf")),
    distinct(unions("anyOf")),
    distinct(values(nodes, "additionalProperties").filter((value) => !isObject(value))),
  ]);
}

/** Whether a schema under a keyword allows every value; or no value, if `isClosed`. */
export function asksNothing(keyword: string, schema: unknown, isClosed = false): boolean {
  const isOpen = schema === true || (isObject(schema) && Object.keys(schema).every(isWords));
  if (isClosed === (keyword === "not")) return isOpen && keyword !== "contains";
  return schema === false;
}
