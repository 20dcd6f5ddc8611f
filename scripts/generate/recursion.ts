import { UserError } from "../cli.js";
import { type Json, type OpenApi, componentOf, asObject, schemasOf } from "../spec/json.js";
import { type Entry, walk } from "../spec/walk.js";

/** How many parents may be written into their children, altogether and into each other. */
const limits = { bases: 10_000, generations: 20 };
const unions = ["anyOf", "oneOf"];
const composition = ["allOf", ...unions];

/**
 * Resolves schemas that are composed of themselves, such as a parent whose `oneOf` names the children that have it in their
 * `allOf`. For a child, the parent is the parent without its unions.
 */
export function untangle(spec: OpenApi): void {
  const schemas = schemasOf(spec);
  const groupOf = cycles(graph(schemas, composition));
  let bases = 0;
  const base = (name: string, visited: readonly string[]): Json => {
    if (++bases > limits.bases || visited.length > limits.generations)
      throw new UserError(`the schemas around "${name}" are composed of each other in too many ways`);
    const { oneOf: _one, anyOf: _any, ...own } = asObject(schemas[name]);
    const copy = structuredClone(own);
    untangleParts(copy, [...visited, name]);
    return copy;
  };
  const untangleParts = (schema: Json, visited: readonly string[]): void =>
    replaceRefs(schema, ["allOf"], (other) => {
      if (groupOf.get(visited[0] ?? "") !== groupOf.get(other)) return undefined;
      return visited.includes(other) ? [] : [base(other, visited)];
    });
  for (const name of groupOf.keys()) untangleParts(asObject(schemas[name]), [name]);
  // "A or itself" is A.
  const left = cycles(graph(schemas, composition));
  for (const name of left.keys())
    replaceRefs(asObject(schemas[name]), unions, (other) => (left.get(name) === left.get(other) ? [] : undefined));
}

/** The schemas that contain themselves in a union or a list. TypeScript resolves these only in types with a name. */
export function recursiveSchemas(spec: OpenApi): Set<string> {
  return new Set(cycles(graph(schemasOf(spec), [...composition, "items", "prefixItems"])).keys());
}

/** Visits the values of a schema that some keywords lead to. */
function visitBy(schema: unknown, keywords: readonly string[], visitor: (entry: Entry) => void): void {
  const visit = (entry: Entry): boolean => {
    visitor(entry);
    return entry.holder === "schema[]" || (entry.holder === "schema" && keywords.includes(String(entry.key)));
  };
  walk(asObject(schema), visit, "schema");
}

/** The name of the schema that a reference leads to. */
function nameIn(ref: unknown): string | undefined {
  return typeof ref === "string" ? componentOf(ref)?.[1] : undefined;
}

/** Replaces references in lists of a schema by other parts; undefined keeps a reference. */
function replaceRefs(schema: Json, lists: readonly string[], by: (name: string) => Json[] | undefined): void {
  visitBy(schema, composition, ({ key, value }) => {
    if (!Array.isArray(value) || !lists.includes(String(key))) return;
    const parts = value.flatMap((part: unknown) => by(nameIn(asObject(part)["$ref"]) ?? "") ?? [part]);
    value.splice(0, value.length, ...parts);
  });
}

/** The schemas that each one refers to by some keywords. */
function graph(schemas: Json, keywords: readonly string[]): Map<string, string[]> {
  const refs = Object.entries(schemas).map(([name, schema]) => {
    const found: string[] = [];
    visitBy(schema, keywords, ({ key, value }) => {
      const other = key === "$ref" ? nameIn(value) : undefined;
      if (other !== undefined) found.push(other);
    });
    return [name, found] as const;
  });
  return new Map(refs);
}

/** The names that lead back to themselves, each with a number for its cycle (Tarjan's algorithm). */
function cycles(links: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const found = new Map<string, number>();
  const order = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const visit = (name: string): number => {
    const own = order.size;
    let first = own;
    order.set(name, own);
    open.push(name);
    isOpen.add(name);
    const next = links.get(name) ?? [];
    for (const other of next) {
      if (!order.has(other)) first = Math.min(first, visit(other));
      else if (isOpen.has(other)) first = Math.min(first, order.get(other) ?? first);
    }
    if (first < own) return first;
    const group = open.splice(open.lastIndexOf(name));
    for (const other of group) {
      isOpen.delete(other);
      if (group.length > 1 || next.includes(name)) found.set(other, own);
    }
    return first;
  };
  for (const name of links.keys()) if (!order.has(name)) visit(name);
  return found;
}
