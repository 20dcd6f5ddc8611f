import { type Json, type OpenApi, componentOf, entries, follow, isObject, list, object } from "../spec/json.js";
import { values } from "./constraints.js";

/** A schema with all that `$ref` and `allOf` add to it: a value has to satisfy every node. */
export interface Conjunction {
  nodes: Json[];
  /** The schemas in `components` that it came by. */
  names: string[];
  /** The members of its `oneOf` and `anyOf`. */
  alternatives: unknown[];
}

/** The items of all arrays that nodes give a keyword. */
export function arrays(nodes: Json[], keyword: string): unknown[] {
  return values(nodes, keyword).flatMap(list);
}

export function conjunction(spec: OpenApi, schemas: unknown[]): Conjunction {
  const found: Conjunction = { nodes: [], names: [], alternatives: [] };
  const add = (schema: unknown): void => {
    const node = schema === false ? nothing : object(schema);
    if (found.nodes.includes(node)) return;
    const ref = node["$ref"];
    if (typeof ref === "string") {
      const name = schemaName(ref);
      if (found.names.includes(name)) return;
      found.names.push(name);
      add(follow(spec, { $ref: ref }));
    }
    if (Object.keys(node).some((key) => key !== "$ref")) found.nodes.push(node);
    for (const part of arrays([node], "allOf")) add(part);
    for (const keyword of ["oneOf", "anyOf"]) {
      const members = arrays([node], keyword);
      // "This or null" is OpenAPI 3.1's `nullable`: what holds for "this" holds.
      const solid = members.filter((one) => object(one)["type"] !== "null");
      if (solid.length === 1 && members.length > 1) add(solid[0]);
      else found.alternatives.push(...solid);
    }
  };
  for (const schema of schemas) add(schema);
  return found;
}

const nothing: Json = { not: {} };

/** A node without what a {@link Conjunction} has taken apart already. The same node always gives the same object. */
export function bare(node: Json): Json {
  const { $ref: _, allOf: _all, oneOf: _one, anyOf: _any, ...rest } = node;
  const known = bareNodes.get(node) ?? rest;
  bareNodes.set(node, known);
  return known;
}

const bareNodes = new WeakMap<Json, Json>();

/** Whether no value can satisfy both: they name other types, or other values. */
export function areApart(was: Json[], is: Json[]): boolean {
  const listed = (nodes: Json[]) => [...arrays(nodes, "enum"), ...values(nodes, "const")];
  return [types, listed].some((of) => {
    const [old, now] = [of(was), of(is)];
    return old.length > 0 && now.length > 0 && !old.some((one) => now.includes(one));
  });
}

/** The types that nodes name, as TypeScript knows them: without integers. */
function types(nodes: Json[]): unknown[] {
  const all = values(nodes, "type").flat();
  return all.map((type) => (type === "integer" ? "number" : type));
}

/** What a `$ref` leads to, by its name in `components` where it has one. */
function schemaName(ref: string): string {
  return componentOf(ref)?.[1] ?? ref;
}

/** The name of the schema that a reference leads to, undefined for a schema in its place. */
export function nameOf(schema: unknown): string | undefined {
  const { $ref: ref } = object(schema);
  return typeof ref === "string" ? schemaName(ref) : undefined;
}

export function propertiesOf(nodes: Json[]): Map<string, unknown[]> {
  const properties = new Map<string, unknown[]>();
  for (const node of nodes)
    for (const [name, schema] of entries(node["properties"]))
      properties.set(name, [...(properties.get(name) ?? []), schema]);
  return properties;
}

export function tuple(nodes: Json[]): unknown[] {
  const prefix = arrays(nodes, "prefixItems");
  return prefix.length > 0 ? prefix : arrays(nodes, "items");
}

/** Which alternatives a schema names beside what it says itself, and by which keyword. */
export function unions({ nodes }: Conjunction): string {
  const names = (keyword: string) => arrays(nodes, keyword).map((one, index) => nameOf(one) ?? String(index + 1));
  return JSON.stringify([names("oneOf").sort(), names("anyOf").sort()]);
}

/** What TypeScript judges, as data: what has an order of no meaning, and without what lies below. */
export function shape(schema: Conjunction): string {
  const { nodes, names } = schema;
  const distinct = (all: unknown[]): string[] => [...new Set(all.map((one) => JSON.stringify(one)))].sort();
  return JSON.stringify([
    distinct(names),
    distinct(types(nodes)),
    ["discriminator", "const", "nullable"].map((keyword) => values(nodes, keyword)),
    ["allOf", "items", "prefixItems"].map((keyword) => values(nodes, keyword).flat().length),
    distinct(arrays(nodes, "enum")),
    distinct([...propertiesOf(nodes).keys()]),
    unions(schema),
    values(nodes, "additionalProperties").filter((value) => isObject(value) || value === true).length,
  ]);
}
