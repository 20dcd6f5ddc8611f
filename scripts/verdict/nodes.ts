import { type Json, type OpenApi, componentOf, entries, isObject, asArray, asObject, resolve } from "../spec/json.js";
import { walk } from "../spec/walk.js";
import { each, isWords } from "./findings.js";

/** A schema with all that `$ref` and `allOf` add to it: a value has to satisfy every node. */
export interface Conjunction {
  nodes: Json[];
  /** The schemas in `components` that it came by. */
  names: string[];
  /** Those of them that it is, not only a part of it. */
  whole: string[];
  /** The members of its `oneOf` and `anyOf`. */
  alternatives: unknown[];
  /** The keywords that OpenAPI 3.0 ignores, because they are next to a `$ref`. */
  ignored: Json;
}

/** The values that nodes give a keyword. */
export function values(nodes: Json[], keyword: string): unknown[] {
  return nodes.filter((node) => Object.hasOwn(node, keyword)).map((node) => node[keyword]);
}

/** The items of all arrays that nodes give a keyword. */
export function arrays(nodes: Json[], keyword: string): unknown[] {
  return values(nodes, keyword).flatMap(asArray);
}

/** The schema that each `$ref` leads to, and whether OpenAPI ignores the keywords next to it. */
const targets = new WeakMap<object, { schema: unknown; isAlone: boolean }>();

/** Resolves the references of a description, so that {@link conjunction} can follow them. */
export function linkReferences(spec: OpenApi): void {
  walk(spec, ({ parent, value, kind }) => {
    if (kind === "ref")
      targets.set(parent, { schema: resolve(spec, String(value)), isAlone: spec.openapi.startsWith("3.0") });
  });
}

export function conjunction(schemas: unknown[]): Conjunction {
  const found: Conjunction = { nodes: [], names: [], whole: [], alternatives: [], ignored: {} };
  const add = (schema: unknown, isWhole = false): void => {
    const node = schema === false ? nothing : asObject(schema);
    if (found.nodes.includes(node)) return;
    const { $ref: ref, ...rest } = node;
    const target = targets.get(node);
    if (target) {
      const name = schemaName(String(ref));
      if (found.names.includes(name)) return;
      found.names.push(name);
      if (isWhole) found.whole.push(name);
      add(target.schema, isWhole);
      if (target.isAlone) return void Object.assign(found.ignored, rest);
    }
    if (Object.keys(rest).length > 0) found.nodes.push(node);
    for (const part of arrays([node], "allOf")) add(part);
    for (const keyword of ["oneOf", "anyOf"]) {
      const members = arrays([node], keyword);
      // "This or null" is OpenAPI 3.1's `nullable`: what holds for "this" holds.
      const solid = members.filter((one) => asObject(one)["type"] !== "null");
      if (solid.length === 1 && members.length > 1) [solid[0], orNull].forEach((one) => add(one, isWhole));
      else found.alternatives.push(...solid);
    }
  };
  for (const schema of schemas) add(schema, schemas.length === 1);
  return found;
}

const nothing: Json = { not: {} };
const orNull: Json = { nullable: true };

/** A node without the keywords that a {@link Conjunction} has taken apart. The same node always gives the same object. */
export function bare(node: Json): Json {
  const { $ref: _, allOf: _all, oneOf: _one, anyOf: _any, ...rest } = node;
  const known = bareNodes.get(node) ?? rest;
  bareNodes.set(node, known);
  return known;
}

const bareNodes = new WeakMap<Json, Json>();

/** The target of a `$ref`, by its name in `components` if it has one. */
function schemaName(ref: string): string {
  return componentOf(ref)?.[1] ?? ref;
}

/** The name of the schema that a reference leads to, undefined for any other schema. */
export function nameOf(schema: unknown): string | undefined {
  const { $ref: ref } = asObject(schema);
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
export function* itemsOf(
  nodesBefore: Json[],
  nodesAfter: Json[],
): Iterable<[step: string, before: unknown[], after: unknown[]]> {
  const [before, after] = each(nodesBefore, nodesAfter, (nodes) => {
    const isOldTuple = values(nodes, "items").some(Array.isArray);
    const rest = values(nodes, isOldTuple ? "additionalItems" : "items");
    return { tuple: arrays(nodes, isOldTuple ? "items" : "prefixItems"), rest };
  });
  yield ["[]", before.rest, after.rest];
  const at = ({ tuple, rest }: typeof before, index: number) => (index < tuple.length ? [tuple[index]] : rest);
  for (let index = 0; index < Math.max(before.tuple.length, after.tuple.length); index++)
    yield [`[${index}]`, at(before, index), at(after, index)];
}

/** Whether a schema under a keyword allows every value; or no value, if `isClosed`. */
export function asksNothing(keyword: string, schema: unknown, isClosed = false): boolean {
  const isOpen = schema === true || (isObject(schema) && Object.keys(schema).every(isWords));
  if (isClosed === (keyword === "not")) return isOpen && keyword !== "contains";
  return schema === false;
}

/** Whether TypeScript's type of an object has an index signature: it allows properties that it does not name. */
export function hasIndex(nodes: Json[]): boolean {
  const others = [...values(nodes, "additionalProperties"), ...values(nodes, "patternProperties")];
  const isEmpty = nodes.every((node) => !("properties" in node || "required" in node));
  return others.length > 0 ? !others.includes(false) : isEmpty && values(nodes, "type").flat().includes("object");
}
