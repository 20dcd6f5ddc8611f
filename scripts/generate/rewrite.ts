import { withComponents } from "../spec/components.js";
import { type Json, type OpenApi, follow, isObject, list, mappedRef, object, objects } from "../spec/json.js";
import { schemasOf, steps } from "../spec/json.js";
import { walk } from "../spec/walk.js";

/**
 * A copy of a spec that says the same, in such a way that openapi-typescript gives it the right types. As of 7.13 it takes
 * an object of which nothing is known for an empty one, loses what `required` says of another part's property, and makes
 * types that no value has of discriminators that are mapped and implied, and of maps beside properties.
 */
export function rewrite(spec: OpenApi): OpenApi {
  const copy = withComponents(spec, spec);
  narrow(copy);
  walk(copy, ({ parent, key, value, kind }) => {
    // It breaks comments at blanks that end them.
    if (kind === "prose" && typeof value === "string") (parent as Json)[key] = value.replace(/[^\S\n]+$/gm, "").trim();
    if (kind !== "schema" || !isObject(value)) return;
    // What refers to one refers to a copy by now; they would become a property.
    if (isObject(value["$defs"])) delete value["$defs"];
    if (value["const"] === null) Object.assign(value, { const: undefined, enum: [null] });
    if (Array.isArray(value["allOf"])) joinRequired(copy, value, objects(value["allOf"]));
    if (isMap(value)) openMap(value);
    const says = ["properties", "patternProperties"].some((word) => Object.keys(object(value[word])).length > 0);
    const refers = ["allOf", "anyOf", "oneOf", "enum", "const", "additionalProperties"].some((word) => word in value);
    if (list([value["type"]].flat()).includes("object") && !says && !refers) value["additionalProperties"] = true;
  });
  return copy;
}

/** Puts the values that tell the variants of a discriminator apart into the variants, and removes the discriminators. */
function narrow(spec: OpenApi): void {
  const schemas = schemasOf(spec);
  const refTo = (name: string): string => `#/components/schemas/${name}`;
  const children = new Map<string, string[]>();
  for (const [name, schema] of Object.entries(schemas)) {
    for (const { $ref } of objects(object(schema)["allOf"]))
      children.set(String($ref), [...(children.get(String($ref)) ?? []), refTo(name)]);
  }
  /** The schemas that are made of one, directly or not. */
  const below = (ref: string): Set<string> => {
    const found = new Set(children.get(ref));
    for (const each of found) for (const child of children.get(each) ?? []) found.add(child);
    return found;
  };
  /** By property and variant. */
  const mapped = new Map<string, Map<string, Set<string>>>();
  const implied = new Map<string, Map<string, Set<string>>>();
  const add = (to: typeof mapped, property: string, ref: string, value: string): void => {
    const variants = to.get(property) ?? new Map<string, Set<string>>();
    to.set(property, variants.set(ref, (variants.get(ref) ?? new Set()).add(value)));
  };
  walk(spec, ({ value, path, kind }) => {
    if (kind !== "schema" || !isObject(value) || !isObject(value["discriminator"])) return;
    const { propertyName, mapping } = value["discriminator"];
    delete value["discriminator"];
    const property = String(propertyName);
    for (const [told, ref] of Object.entries(object(mapping))) add(mapped, property, mappedRef(String(ref)), told);
    const union = [...objects(value["oneOf"]), ...objects(value["anyOf"])].flatMap(({ $ref }) => $ref ?? []);
    const own = path.length === 3 && path[1] === "schemas" ? refTo(String(path[2])) : undefined;
    for (const ref of union.length > 0 || own === undefined ? (union as string[]) : below(own))
      add(implied, property, ref, String(steps(ref).at(-1)));
  });
  for (const property of new Set([...mapped.keys(), ...implied.keys()])) {
    const all = new Map([...(implied.get(property) ?? []), ...(mapped.get(property) ?? [])]);
    const told = new Map(
      [...all].map(([ref, values]) => {
        // Who is a variant of a variant is that variant, too.
        const more = [...below(ref)].flatMap((other) => [...(all.get(other) ?? [])]);
        return [ref, new Set([...values, ...more])];
      }),
    );
    for (const [ref, values] of told) pin(spec, follow(spec, { $ref: ref }), property, values);
  }
}

/** Lets an object's property have only these values, where the object itself says nothing else. */
function pin(spec: OpenApi, schema: Json, property: string, values: ReadonlySet<string>): void {
  const found = definitionsOf(spec, schema, property);
  const lists = found.map((each) => ("const" in each ? [each["const"]] : each["enum"])).filter(Array.isArray);
  const allowed = lists.reduce<unknown[]>(
    (rest, each) => rest.filter((value) => each.some((other) => String(other) === String(value))),
    (lists[0] as unknown[] | undefined)?.filter((value) => values.has(String(value))) ?? [...values],
  );
  if (allowed.length === 0 || found.some(({ type }) => type !== undefined && type !== "string" && lists.length === 0))
    return;
  const isObjectLike = schema["type"] === "object" || isObject(schema["properties"]);
  const pinned = { type: typeof allowed[0] === "string" ? "string" : "number", enum: allowed };
  if (Array.isArray(schema["allOf"])) {
    schema["allOf"].push({ type: "object", required: [property], properties: { [property]: pinned } });
  } else if (isObjectLike) {
    const { description } = object(object(schema["properties"])[property]);
    schema["properties"] = { ...object(schema["properties"]), [property]: { description, ...pinned } };
    schema["required"] = [...new Set([...list(schema["required"]), property])];
  }
}

/** What an object and the parts of its `allOf` say of a property. */
function definitionsOf(spec: OpenApi, value: Json, property: string, met = new Set<Json>()): Json[] {
  const schema = follow(spec, value);
  if (met.has(schema)) return [];
  met.add(schema);
  const own = object(schema["properties"])[property];
  const below = objects(schema["allOf"]).flatMap((part) => definitionsOf(spec, part, property, met));
  return own === undefined ? below : [follow(spec, own), ...below];
}

/** Gives `required` of parts that say nothing else to the whole, and brings along what it names in parts of parts. */
function joinRequired(spec: OpenApi, schema: Json, parts: Json[]): void {
  const silent = new Set(["type", "required", "title", "description", "example", "deprecated"]);
  const isSilent = (part: Json): boolean =>
    Object.keys(part).every((word) => silent.has(word)) && [undefined, "object"].includes(part["type"] as undefined);
  const kept = parts.filter((part) => !isSilent(part));
  const required = new Set([schema, ...parts].flatMap((part) => list(part["required"])).map(String));
  if (kept.length < parts.length || required.size > 0) schema["required"] = [...required];
  const isNear = (name: string): boolean =>
    [schema, ...kept].some((part) => name in object(follow(spec, part)["properties"]));
  const far = [...required].filter((name) => !isNear(name));
  const properties = far.map((name) => [name, structuredClone(definitionsOf(spec, schema, name)[0] ?? {})] as const);
  if (far.length > 0) kept.push({ type: "object", required: far, properties: Object.fromEntries(properties) });
  for (const part of kept) if (isObject(part["additionalProperties"])) part["additionalProperties"] = true;
  schema["allOf"] = kept;
  if (kept.length > 0) return;
  delete schema["allOf"];
  schema["type"] ??= "object";
}

/** Whether an object has both properties and a type for others. */
function isMap({ properties, additionalProperties, patternProperties }: Json): boolean {
  const others = { ...object(additionalProperties), ...object(patternProperties) };
  return Object.keys(object(properties)).length > 0 && Object.keys(others).length > 0;
}

/** Lets the type of other properties hold those that have a name as well: an index signature is one for all. */
function openMap(schema: Json): void {
  const { properties, additionalProperties, patternProperties } = schema;
  const all = [
    ...objects([additionalProperties]),
    ...[properties, patternProperties].flatMap((each) => Object.values(object(each))),
  ];
  const isFlat = all.every((each) => !Object.values(object(each)).some((part) => typeof part === "object"));
  schema["additionalProperties"] = isFlat ? { anyOf: structuredClone(all) } : true;
  delete schema["patternProperties"];
}
