import { withComponents } from "../spec/components.js";
import { type Json, type OpenApi, entries, follow, isObject, asArray, asObject } from "../spec/json.js";
import { type Entry, jsonTypes, walk } from "../spec/walk.js";
import { narrow } from "./discriminators.js";
import { untangle } from "./recursion.js";

/**
 * A copy of a spec with the same meaning, for which openapi-typescript makes the right types. As of 7.13 it ignores keywords
 * next to `anyOf`, `$ref` or a list of types, `required` names that the same schema does not describe, and conditions. For an
 * object without properties it makes the type of an empty one. If a discriminator is both mapped and implied, or a map has
 * properties too, it makes types that no value has.
 */
export function rewrite(spec: OpenApi): OpenApi {
  const copy = withComponents(spec, spec, (entry) => prepare(spec, entry));
  narrow(copy);
  untangle(copy);
  const nulls = new Map<unknown, number>();
  walk(copy, ({ value, kind, holder }) => {
    if (kind !== "schema" || !isObject(value) || "$ref" in value) return;
    addConditional(copy, value);
    if (partsOf(value).length > 1 && nullIn(copy, value, nulls) === 2) value["nullable"] = true;
    if (split(value)) return;
    describeRequired(value, holder === "schema[]");
    openMap(value);
    if (isOf(value, "object") && partsOf({ ...value, type: "object" }).length === 0)
      value["additionalProperties"] ??= true;
    for (const property of Object.values(asObject(value["properties"]))) mark(copy, property);
    splitTuple(value);
  });
  return copy;
}

/** Prepares one value; returns false if nothing below it matters. */
function prepare(spec: OpenApi, { parent, key, value, kind, holder }: Entry): boolean {
  const holding = parent as Json;
  // openapi-typescript breaks comments at blanks that end them.
  if (kind === "prose" && typeof value === "string") holding[key] = value.replace(/[^\S\n]+$/gm, "").trim();
  // References into them lead to components by now. openapi-typescript would take them for properties.
  if (holder === "schema" && (key === "$defs" || key === "definitions")) {
    delete holding[key];
    return false;
  }
  if (!isObject(value)) return true;
  // openapi-typescript loses a component that is a reference to another one, and requires every header that is one.
  if (`${kind}{}` === holder && kind !== "schema") replace(value, structuredClone(follow(spec, value)));
  if (kind !== "schema") return true;
  const { type } = value;
  if (Array.isArray(type) && type.length === 1) value["type"] = type[0];
  // An unknown type has no effect.
  if ([type ?? []].flat().some((each) => !jsonTypes.has(each))) delete value["type"];
  if (value["const"] === null) replace(value, { ...value, enum: [null] }, "const");
  if (Array.isArray(value["items"]))
    replace(value, { ...value, prefixItems: value["items"], items: value["additionalItems"] ?? true });
  if (value["items"] === false) value["prefixItems"] ??= [];
  // Keywords of lists say nothing about other values.
  if (value["type"] !== undefined && !isOf(value, "array"))
    for (const keyword of ["items", "prefixItems"]) delete value[keyword];
  limitToValues(value);
  if ("$ref" in value && !spec.openapi.startsWith("3.0")) split(value);
  return true;
}

/** Lets nothing but its values count in an enum or a constant: openapi-typescript ignores an enum of objects, and a list of lists. */
function limitToValues(schema: Json): void {
  const values = "const" in schema ? [schema["const"]] : asArray(schema["enum"]);
  if (values.length === 0) return;
  if ("properties" in schema && values.every((value) => typeof value === "string")) {
    // It was meant for one of the properties.
    delete schema["enum"];
    return;
  }
  for (const keyword of ["properties", "patternProperties", "additionalProperties", "required"]) delete schema[keyword];
  if (schema["type"] === "object") delete schema["type"];
  if (values.every(Array.isArray)) schema["type"] = "array";
}

function replace(object: Json, by: Json, ...without: string[]): void {
  for (const key of Object.keys(object)) delete object[key];
  Object.assign(object, by);
  for (const key of without) delete object[key];
}

/** Keywords that are about the whole schema, whatever parts its type has. */
const ofTheWhole = new Set(
  "title summary description deprecated default example examples readOnly writeOnly nullable format".split(" "),
);
const composition = ["allOf", "anyOf", "oneOf"];
export const conditions = ["if", "then", "else", "dependentSchemas"];

/** The schemas that a value must satisfy, all of them: `$ref`, the schema's own keywords, its `allOf`, and each union. */
function partsOf(schema: Json): Json[] {
  const { $ref, allOf, anyOf, oneOf, ...others } = schema;
  const own = Object.fromEntries(entries(others).filter(([keyword]) => !ofTheWhole.has(keyword)));
  const unions = entries({ anyOf, oneOf }).filter(([, members]) => asArray(members).length > 0);
  // A union of one member is that member.
  const all = [...asArray(allOf), ...unions.flatMap(([, members]) => (asArray(members).length === 1 ? members : []))];
  const parts = [
    ...(typeof $ref === "string" ? [{ $ref }] : []),
    ...(givesType(own) ? [own] : []),
    ...all.map((part) => (part === false ? { enum: [] } : asObject(part))).filter((part) => partsOf(part).length > 0),
  ];
  const choices = unions.filter(([, members]) => asArray(members).length > 1);
  // A union with a member that allows everything adds nothing.
  const isOpen = (member: unknown): boolean =>
    member === true || (isObject(member) && !("type" in member) && partsOf(member).length === 0);
  const kept = parts.length === 0 ? choices : choices.filter(([, members]) => !asArray(members).some(isOpen));
  return [...parts, ...kept.map((choice) => Object.fromEntries([choice]))];
}

/** Whether keywords say more than that something is an object, or null. */
function givesType({ type, properties, patternProperties, additionalProperties, required, ...others }: Json): boolean {
  return (
    ![type ?? "object"].flat().every((each) => each === "object" || each === "null") ||
    [properties, patternProperties].some((named) => Object.keys(asObject(named)).length > 0) ||
    asArray(required).length > 0 ||
    (additionalProperties ?? false) !== false ||
    ["items", "prefixItems", "enum", "const", ...conditions].some((keyword) => keyword in others)
  );
}

/** Moves each part of a schema into an `allOf`. Returns false if the schema has no parts. */
function split(schema: Json): boolean {
  if (!["$ref", ...composition].some((keyword) => keyword in schema)) return false;
  const parts = withOwnNames(partsOf(schema));
  const [first, second] = parts;
  if ("$ref" in schema && second === undefined) return true;
  const whole = Object.fromEntries(entries(schema).filter(([keyword]) => ofTheWhole.has(keyword)));
  const isAlone = first !== undefined && second === undefined && !("$ref" in first);
  if (first === undefined) {
    const isObjectLike = [schema, ...asArray(schema["allOf"])].some((part) => isOf(asObject(part), "object"));
    replace(schema, isObjectLike ? { ...whole, type: "object" } : whole);
  } else replace(schema, isAlone ? { ...first, ...whole } : { ...whole, allOf: parts });
  if (first === undefined) return false;
  if (isAlone) return "anyOf" in schema || "oneOf" in schema || split(schema);
  // In an intersection, the type of a map's values would apply to the properties of the other parts.
  for (const part of parts) if (second !== undefined && typesOfOthers(part).length > 0) letAnythingIn(part);
  return true;
}

/** Moves required names to the part that describes the property, if there is one. */
function withOwnNames(parts: readonly Json[]): Json[] {
  const describes = (part: Json, name: unknown): boolean => Object.hasOwn(asObject(part["properties"]), String(name));
  for (const part of parts)
    for (const name of asArray(part["required"])) {
      const other = parts.find((each) => describes(each, name));
      if (other === undefined || describes(part, name)) continue;
      part["required"] = asArray(part["required"]).filter((each) => each !== name);
      other["required"] = [...new Set([...asArray(other["required"]), name])];
    }
  return parts.filter((part) => partsOf(part).length > 0);
}

function isOf({ type }: Json, name: string): boolean {
  return [type].flat().includes(name);
}

/** Whether a schema allows null: 0: no; 1: yes, because nothing forbids it; 2: yes, because a part says so. */
function nullIn(spec: OpenApi, value: unknown, known: Map<unknown, number>): number {
  if (value === false) return 0;
  const schema = follow(spec, value);
  if (schema["nullable"] === true) return 2;
  const found = known.get(schema);
  if (found !== undefined) return found;
  // The result if it contains itself.
  known.set(schema, 1);
  const below = (part: unknown): number => nullIn(spec, part, known);
  const { type, enum: values, allOf, anyOf, oneOf } = schema;
  const unions = [anyOf, oneOf].filter((members) => asArray(members).length > 0);
  const all = [
    type === undefined ? 1 : 2 * Number(isOf(schema, "null")),
    Array.isArray(values) || "const" in schema ? 2 * Number(asArray(values).includes(null)) : 1,
    ...asArray(allOf).map(below),
    ...unions.map((members) =>
      asArray(members)
        .map(below)
        .reduce((a, b) => Math.max(a, b)),
    ),
  ];
  const result = all.reduce((a, b) => (a === 0 || b === 0 ? 0 : Math.max(a, b)));
  known.set(schema, result);
  return result;
}

/** A type for any value but undefined: intersected with an optional property, it makes the property required. */
export const anything = "anything";

/** Adds the properties that an object requires but does not describe. Another part may describe them. */
function describeRequired(schema: Json, isPart: boolean): void {
  const { type, required, properties, additionalProperties } = schema;
  const missing = asArray(required).filter((name) => !Object.hasOwn(asObject(properties), String(name)));
  if (missing.length === 0 || (type !== undefined && !isOf(schema, "object"))) return;
  // A schema with parts would be written out for each name.
  const isSmall = isObject(additionalProperties) && isFlat(additionalProperties);
  const definition = isSmall ? additionalProperties : isPart ? { type: anything } : {};
  const described = missing.map((name) => [String(name), structuredClone(definition)] as const);
  schema["properties"] = { ...asObject(properties), ...Object.fromEntries(described) };
}

/** The schemas of an object's unnamed properties, without those that allow everything. */
function typesOfOthers({ additionalProperties, patternProperties }: Json): Json[] {
  const all = [additionalProperties, ...Object.values(asObject(patternProperties))].map(asObject);
  return all.filter((schema) => Object.keys(schema).length > 0);
}

function isFlat(schema: Json): boolean {
  return !Object.values(schema).some((part) => typeof part === "object");
}

function letAnythingIn(schema: Json): void {
  schema["additionalProperties"] = true;
  delete schema["patternProperties"];
}

/** Widens the type of unnamed properties to the named ones: an index signature applies to both. */
function openMap(schema: Json): void {
  const named = Object.values(asObject(schema["properties"]));
  const others = typesOfOthers(schema);
  if (named.length === 0 || others.length === 0) return;
  const all = [...others, ...named];
  letAnythingIn(schema);
  if (all.every((each) => isFlat(asObject(each)))) schema["additionalProperties"] = { anyOf: structuredClone(all) };
}

/** Marks a property as read-only or write-only if the schema that it refers to is. */
function mark(spec: OpenApi, property: unknown): void {
  if (!isObject(property)) return;
  const isMarked = (part: unknown, keyword: string, depth: number): boolean => {
    const schema = { ...follow(spec, part), ...asObject(part) };
    return keyword in schema
      ? schema[keyword] === true
      : depth > 0 && asArray(schema["allOf"]).some((each) => isMarked(each, keyword, depth - 1));
  };
  for (const keyword of ["readOnly", "writeOnly"]) if (isMarked(property, keyword, 5)) property[keyword] = true;
}

/** Moves null and other types out of a tuple's schema: its type is made as a whole, from a schema with one type. */
function splitTuple(schema: Json): void {
  const { type, nullable, ...others } = schema;
  const types = [type, ...(nullable === true ? ["null"] : [])].flat();
  if (!("prefixItems" in schema) || types.length === 1) return;
  const whole = entries(others).filter(([keyword]) => ofTheWhole.has(keyword));
  replace(schema, { ...Object.fromEntries(whole), anyOf: types.map((each) => ({ ...others, type: each })) });
}

/** Adds the properties that only the conditions of an object describe, as optional. */
export function addConditional(spec: OpenApi, schema: Json): void {
  const conditional: unknown[] = [];
  const take = (part: unknown): void => {
    if (!isObject(part) || "$ref" in part) return;
    conditional.push(...conditionsOf(part));
    for (const keyword of conditions) delete part[keyword];
    composed(part).forEach(take);
  };
  take(schema);
  if (conditional.length === 0) return;
  const known = describedIn(spec, schema);
  for (const [name, definitions] of describedIn(spec, { allOf: conditional }))
    if ((known.get(name) ?? []).length === 0) {
      const definition = structuredClone({ anyOf: definitions });
      schema["properties"] = { ...asObject(schema["properties"]), [name]: definition };
    }
}

function composed(schema: Json): unknown[] {
  return composition.flatMap((keyword) => asArray(schema[keyword]));
}

/** The schemas that apply under a condition. `if` itself only names properties. */
function conditionsOf({ if: given, then, else: otherwise, dependentSchemas }: Json): unknown[] {
  const named = isObject(given) ? { required: Object.keys(asObject(given["properties"])) } : undefined;
  return [named, then, otherwise, ...Object.values(asObject(dependentSchemas))].filter(isObject);
}

/** The properties that a schema names, also in its parts, with their definitions. */
function describedIn(spec: OpenApi, value: unknown, found = new Map<string, Json[]>(), visited = new Set<Json>()) {
  const schema = follow(spec, value);
  // No real schema has more parts; in a hostile description, many could.
  if (visited.has(schema) || visited.size > 200) return found;
  visited.add(schema);
  for (const name of asArray(schema["required"]).map(String)) found.set(name, found.get(name) ?? []);
  for (const [name, definition] of entries(schema["properties"]))
    found.set(name, [...(found.get(name) ?? []), ...[definition].filter(isObject)]);
  for (const part of [...composed(schema), ...conditionsOf(schema)]) describedIn(spec, part, found, visited);
  return found;
}
