import { type Json, type OpenApi, componentOf, entries, isObject, asArray, asObject, resolve } from "../spec/json.js";
import { walk } from "../spec/walk.js";
import { isDocumentation } from "./findings.js";

/** The schema that each `$ref` leads to, and whether OpenAPI ignores the keywords next to it. */
const targets = new WeakMap<object, { schema: unknown; isAlone: boolean }>();

/** Resolves the references of a description, so that a {@link Conjunction} can follow them. */
export function linkReferences(spec: OpenApi): void {
  walk(spec, ({ parent, value, kind }) => {
    if (kind === "ref")
      targets.set(parent, { schema: resolve(spec, String(value)), isAlone: spec.openapi.startsWith("3.0") });
  });
}

/** Schemas that a value has to satisfy, all of them, together with those that `$ref` and `allOf` add. */
export class Conjunction {
  readonly schemas: readonly unknown[];
  readonly nodes: Json[] = [];
  /** The schemas in `components` that its references lead through. */
  readonly names: string[] = [];
  /** Those of them that are all of it, not only a part. */
  readonly whole: string[] = [];
  /** The members of its `oneOf` and `anyOf`. */
  readonly members: unknown[] = [];
  /** The keywords that OpenAPI 3.0 ignores, because they are next to a `$ref`. */
  readonly ignored: Json = {};

  constructor(schemas: readonly unknown[]) {
    this.schemas = schemas;
    for (const schema of schemas) this.#add(schema, schemas.length === 1);
  }

  #add(schema: unknown, isWhole: boolean): void {
    const node = schema === false ? nothing : asObject(schema);
    const { $ref: ref, ...rest } = node;
    const target = targets.get(node);
    const parts = asArray(node["allOf"]);
    // One keyword, with at most one schema, is all that the node asks for.
    const isOne = Object.keys(node).filter((key) => !annotations.has(key) && !isDocumentation(key)).length === 1;
    const isStillWhole = isWhole && (target?.isAlone === true || (isOne && parts.length < 2));
    if (target) {
      const name = schemaName(String(ref));
      if (this.names.includes(name)) return;
      this.names.push(name);
      if (isStillWhole) this.whole.push(name);
      this.#add(target.schema, isStillWhole);
      if (target.isAlone) return void Object.assign(this.ignored, rest);
    }
    if (Object.keys(rest).length > 0) this.nodes.push(node);
    for (const part of parts) this.#add(part, isStillWhole);
    for (const members of [node["oneOf"], node["anyOf"]].map(asArray)) {
      // "This or null" is how OpenAPI 3.1 writes `nullable`: the schema is "this".
      const solid = members.filter((one) => asObject(one)["type"] !== "null");
      const hasNull = solid.length < members.length || (solid.length > 0 && node["nullable"] === true);
      if (solid.length === 1 && hasNull) [solid[0], orNull].forEach((one) => this.#add(one, isStillWhole));
      else this.members.push(...solid, ...(hasNull ? [onlyNull] : []));
    }
  }

  /** The name of the schema that the last schema refers to, undefined if that is not a reference. */
  get name(): string | undefined {
    const { $ref: ref } = asObject(this.schemas.at(-1));
    return typeof ref === "string" ? schemaName(ref) : undefined;
  }

  /** The values of a keyword in all nodes. */
  values(keyword: string): unknown[] {
    return this.nodes.filter((node) => Object.hasOwn(node, keyword)).map((node) => node[keyword]);
  }

  /** A keyword's value; a list if there are several, undefined if there is none. */
  value(keyword: string): unknown {
    const all = this.values(keyword);
    return all.length > 1 ? all : all[0];
  }

  /** The items of all arrays of a keyword. */
  items(keyword: string): unknown[] {
    return this.values(keyword).flatMap(asArray);
  }

  /** The schemas by each name of a keyword such as `properties`. */
  named(keyword: string): Map<string, unknown[]> {
    const named = new Map<string, unknown[]>();
    for (const [name, schema] of this.values(keyword).flatMap(entries))
      named.set(name, [...(named.get(name) ?? []), schema]);
    return named;
  }

  /** The types that all nodes allow, `null` among them; those of the listed values if no node names any. */
  get types(): string[] | undefined {
    const typed = this.nodes.filter(({ type }) => type !== undefined);
    // A node that says "or null" without a type says so for the others.
    const isNullable = this.nodes.some(({ type, nullable }) => type === undefined && nullable === true);
    const all = typed.map((node) =>
      [node["type"], isNullable || node["nullable"] === true ? "null" : []].flat(2).map(String),
    );
    const shared = sharedBy(all.map((types) => (types.includes("number") ? [...types, "integer"] : types)));
    const named = shared?.filter((type) => type !== "integer" || !shared.includes("number"));
    const listed = this.listed?.map(typeOf);
    return named ?? (listed && sharedBy([[...listed, ...(isNullable ? ["null"] : [])]]));
  }

  /** The types as TypeScript has them. */
  get shownTypes(): string[] | undefined {
    return this.types?.map(shownType);
  }

  /** The values that `enum`, `const` or types list, as JSON. */
  get listed(): string[] | undefined {
    const typed = this.nodes.flatMap(({ type, nullable }) => {
      const values = [type ?? "any", nullable === true ? "null" : []].flat(2).map((one) => valuesOf[String(one)]);
      return values.includes(undefined) ? [] : [values.flat()];
    });
    const all = [...this.values("enum").map(asArray), ...this.values("const").map((value) => [value]), ...typed];
    return sharedBy(all.map((some) => some.map((value) => JSON.stringify(value, inOrder))));
  }

  /** Whether every value is right. */
  get allowsEverything(): boolean {
    return this.nodes.every((node) => Object.keys(node).every((key) => key === "nullable" || isDocumentation(key)));
  }

  /** Whether TypeScript's type of an object has an index signature: it allows properties that it does not name. */
  get hasIndex(): boolean {
    const others = this.values("additionalProperties");
    const patterns = [...this.named("patternProperties").values()].flat();
    const isEmpty = this.nodes.every((node) => !("properties" in node || "required" in node));
    const isOpen =
      others.length > 0 ? !others.includes(false) : isEmpty && this.values("type").flat().includes("object");
    return isOpen || patterns.some((schema) => schema !== false);
  }

  /** Whether no value fits both: they name different types, or different values, or do so for a property that both require. */
  isApart(other: Conjunction): boolean {
    if (areDisjoint(this.shownTypes, other.shownTypes) || areDisjoint(this.listed, other.listed)) return true;
    const others = other.named("properties");
    return [...this.named("properties")].some(([name, own]) => {
      const isRequired = [this, other].every((one) => one.items("required").includes(name));
      return isRequired && areDisjoint(listedIn(own), listedIn(others.get(name)));
    });
  }

  /** Whether it allows every value that another one does, since it names only that one's type. */
  isPlain(other: Conjunction): boolean {
    const { types } = this;
    return (
      this.nodes.flatMap(Object.keys).every((key) => key === "type" || key === "nullable" || isDocumentation(key)) &&
      (types === undefined || other.types?.every((type) => types.includes(type)) === true)
    );
  }
}

/** A type as TypeScript has it: it has no integers. */
export function shownType(type: string): string {
  return type === "integer" ? "number" : type;
}

/** The values of the types that have few. */
const valuesOf: Record<string, unknown[] | undefined> = { null: [null], boolean: [true, false] };
const nothing: Json = { not: {} };
/** Keywords next to others that change nothing about a schema's own type, apart from `null`. */
const annotations = new Set(["nullable", "default", "readOnly", "writeOnly"]);
const orNull: Json = { nullable: true };
const onlyNull: Json = { type: "null" };

/** A node without the keywords that a {@link Conjunction} has taken apart: always the same object for the same node. */
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

/** Puts the keys of objects in JSON into one order. */
function inOrder(_: string, value: unknown): unknown {
  return isObject(value) ? Object.fromEntries(entries(value).sort()) : value;
}

function typeOf(json: string): string {
  return json === "null" ? json : json.startsWith("[") ? "array" : typeof JSON.parse(json);
}

function listedIn(schemas: unknown[] = []): string[] | undefined {
  return new Conjunction(schemas).listed;
}

/** The items that are in all of some lists, in an order that does not depend on theirs; undefined for no lists. */
function sharedBy([first, ...others]: string[][]): string[] | undefined {
  return first && [...new Set(first)].filter((item) => others.every((other) => other.includes(item))).sort();
}

export function areDisjoint(one: string[] | undefined, other: string[] | undefined): boolean {
  return one !== undefined && other !== undefined && !one.some((item) => other.includes(item));
}
