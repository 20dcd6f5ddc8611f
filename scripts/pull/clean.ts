import { bidi } from "../spec/names.js";
import {
  type Json,
  type OpenApi,
  type Path,
  entries,
  follow,
  isObject,
  asArray,
  mappedRef,
  asObject,
} from "../spec/json.js";
import { pointer } from "../spec/parse.js";
import { type Entry, hasFields, isRefKey, misfit, walk } from "../spec/walk.js";

/** OpenAPI ignores header parameters with these names. */
const ignoredHeaders = new Set(["accept", "content-type", "authorization"]);

/**
 * Makes a function that cleans the values of a copy of a description one by one, so that generators can take them; see
 * {@link slice}. It returns false if nothing below a value matters.
 *
 * @param ids the operationIds of the copy, by those of the description
 * @param noteUnknown gets the path of each field that OpenAPI and JSON Schema do not have
 */
export function cleaner(
  spec: OpenApi,
  ids: ReadonlyMap<unknown, string>,
  noteUnknown: (path: Path) => void,
): (entry: Entry) => boolean {
  let anchors: ReadonlyMap<string, string> | undefined;
  return ({ parent, key, value, path, kind, holder }) => {
    const at = parent as Json;
    // An unknown method is not left out but refused.
    const isUnknown = kind === "unknown" && holder !== "pathItem";
    const isLeftOut =
      kind === "extension" ||
      isUnknown ||
      // To YAML, a field without a value has the value null.
      (hasFields(holder) && value === null && kind !== "data") ||
      // References into them lead to components, and openapi-typescript takes them for properties.
      (holder === "schema" && (key === "definitions" || key === "$defs")) ||
      (holder === "header{}" && String(key).toLowerCase() === "content-type");
    // A constant and an enum are not only data, since they become types.
    if (kind === "data" && hasFields(holder) && key !== "const") walk({ value }, leaveOutRefs, "data");
    if (isUnknown) noteUnknown(path);
    if (isLeftOut && !Array.isArray(parent)) {
      delete at[key];
      return false;
    }
    // PHP has one way to write an empty list and an empty object.
    if (Array.isArray(value) && value.length === 0 && misfit(kind, value) !== undefined) at[key] = {};
    if (kind === "parameter[]" && Array.isArray(value)) {
      value.splice(0, value.length, ...value.flatMap((item: unknown) => parametersFor(spec, item)));
      if (value.length === 0) delete at[key];
    }
    if (kind === "mediaType" && isObject(value) && "$ref" in value) {
      const { $ref: _, ...whole } = { ...value, ...structuredClone(follow(spec, value)) };
      delete value["$ref"];
      Object.assign(value, whole);
    }
    if (kind === "schema" && isObject(value))
      followAnchors(value, path, (name) => (anchors ??= anchorsOf(spec)).get(name));
    if (kind === "schemaRef" && typeof value === "string") at[key] = mappedRef(value);
    // A link names an operation. One that is not in the description stays as it is.
    if (holder === "link" && key === "operationId") at[key] = ids.get(value) ?? value;
    // Without quotes, YAML takes some words for numbers, booleans or null.
    if (kind === "jsonType" && value === null) at[key] = "null";
    if ((kind === "prose" || kind === "label") && typeof value !== "object")
      at[key] = String(value)
        .replace(/\r\n?|[\p{Zl}\p{Zp}]/gu, "\n")
        .replace(bidi, "")
        .replaceAll("*/", "* /");
    return true;
  };
}

/** Leaves out what looks like a reference: generators would follow it. */
function leaveOutRefs({ parent, key }: Entry): void {
  if (isRefKey(key)) delete (parent as Json)[key];
}

/** The parameters that generators see for one: none if OpenAPI ignores it, several if it is the whole query string. */
function parametersFor(spec: OpenApi, item: unknown): unknown[] {
  const { in: place, name, content, required } = follow(spec, item);
  if (place === "header" && ignoredHeaders.has(String(name).toLowerCase())) return [];
  const form = asObject(asObject(content)["application/x-www-form-urlencoded"]);
  const schema = follow(spec, form["schema"]);
  const isPlain = !["allOf", "anyOf", "oneOf"].some((keyword) => keyword in schema);
  if (place !== "querystring" || !isPlain || !isObject(schema["properties"])) return [item];
  return entries(schema["properties"]).map(([property, definition]) => ({
    name: property,
    in: "query",
    required: required === true && asArray(schema["required"]).includes(property),
    schema: structuredClone(definition),
  }));
}

/** References to the schemas that have an anchor, by its name; empty if two schemas have the same. */
function anchorsOf(spec: OpenApi): Map<string, string> {
  const found = new Map<string, string>();
  walk(spec, ({ key, value, path, holder }) => {
    if (holder !== "schema" || (key !== "$anchor" && key !== "$dynamicAnchor")) return;
    found.set(String(value), found.has(String(value)) ? "" : pointer(path.slice(0, -1)));
  });
  return found;
}

/** Replaces references to anchors and recursive ones by references to the schema. */
function followAnchors(schema: Json, path: Path, anchor: (name: string) => string | undefined): void {
  for (const key of ["$ref", "$dynamicRef", "$recursiveRef"]) {
    const ref = schema[key];
    if (typeof ref !== "string" || ref.startsWith("#/") || !ref.startsWith("#")) continue;
    const isComponent = path[0] === "components" && path[1] === "schemas";
    const found = key === "$recursiveRef" && isComponent ? pointer(path.slice(0, 3)) : anchor(ref.slice(1));
    if (!found) continue;
    delete schema[key];
    schema["$ref"] = found;
  }
}
