import { Refusal } from "./command.js";
import { isObject, resolve } from "./spec.js";
import type { Json, OpenApi } from "./spec.js";

/**
 * What openapi-generator gets to see of a spec: a copy in which prose is harmless wherever it is printed, and in which
 * everything that the generator would change or quote wrongly (names of enum keys, enum values, constraints, examples)
 * is already written out as TypeScript or Markdown, in extensions that the templates print as they are.
 *
 * Objects of simple properties become interfaces and string or number enums become constants. Every other schema is
 * announced as an alias, `x-alias`, of openapi-typescript's type for it: the generator knows no equal for `anyOf`,
 * maps, tuples and the like. References between schemas stay.
 *
 * @param examples hand-written examples by operationId; an operation without one gets a call of the openapi-fetch client
 */
export function generatorView(spec: OpenApi, examples: ReadonlyMap<string, string>): OpenApi {
  const view = harmless(structuredClone(spec)) as OpenApi;
  const schemas = object(object(view["components"])["schemas"]);
  const variants = discriminated(schemas);
  for (const [name, schema] of Object.entries(schemas)) schemas[name] = schemaView(name, schema, variants.has(name));
  for (const [path, item] of Object.entries(object(view["paths"]))) {
    for (const [method, operation] of Object.entries(object(item))) {
      if (!isObject(operation) || !("responses" in operation)) continue;
      const id = String(operation["operationId"] ?? "");
      const original = object(object(object(spec["paths"])[path])[method]);
      operation["x-example"] = (examples.get(id) ?? exampleCall(spec, method, path, original)).trimEnd();
      operation["x-text"] = tableText(operation["summary"]);
      simplifyParameters(operation["parameters"]);
      simplifyContent(operation["requestBody"]);
      for (const response of Object.values(object(operation["responses"]))) responseView(object(response));
    }
    simplifyParameters(object(item)["parameters"]);
  }
  for (const response of Object.values(object(object(view["components"])["responses"]))) responseView(object(response));
  for (const body of Object.values(object(object(view["components"])["requestBodies"]))) simplifyContent(body);
  simplifyParameters(Object.values(object(object(view["components"])["parameters"])));
  return view;
}

function responseView(response: Json): void {
  response["x-text"] = tableText(response["description"]);
  const codes = response["x-message-codes"];
  if (Array.isArray(codes)) response["x-message-codes"] = codes.map((code) => `\`${code}\``).join(", ");
  simplifyContent(response);
}

/** Prose for one cell of a Markdown table. */
function tableText(prose: unknown): string {
  return typeof prose === "string" ? prose.replace(/\s+/g, " ").replaceAll("|", "\\|") : "";
}

function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

/** Makes prose harmless in comments and in Markdown, where neither HTML nor a link with code may come of it. */
function harmless(value: unknown, key?: string): unknown {
  if (Array.isArray(value)) return value.map((item) => harmless(item));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, harmless(member, name)]));
  }
  if (typeof value !== "string" || !["description", "summary", "title"].includes(key ?? "")) return value;
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("*/", "*&#47;")
    .replace(/\]\(\s*(?!https:\/\/|#)/g, "]\\(")
    .replace(/^(\s*\[[^\]]*\]):/gm, "$1\\:")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, (gap) => (/^[\n\t]+$/.test(gap) ? gap : " "))
    .trim();
}

const simpleTypes = new Set(["string", "integer", "number", "boolean"]);
const identifier = /^[A-Za-z_]\w*$/;
/** Keywords that make a schema more than the generator's interfaces and enums can say. */
const complex = [
  "discriminator",
  "oneOf",
  "anyOf",
  "allOf",
  "not",
  "const",
  "additionalProperties",
  "patternProperties",
  "prefixItems",
];
/** Keywords that local validation needs (JSON Schema validation, section 6). */
const constraintKeywords =
  "minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems uniqueItems".split(
    " ",
  );

/** The schemas that a discriminator tells apart: openapi-typescript narrows the property in them that does. */
function discriminated(schemas: Json): Set<string> {
  const refs = Object.values(schemas).flatMap((schema) => {
    const { discriminator, oneOf, anyOf } = object(schema);
    if (discriminator === undefined) return [];
    const members = [oneOf, anyOf].flatMap((list) => (Array.isArray(list) ? list : []));
    return [
      ...members.map((member) => object(member)["$ref"]),
      ...Object.values(object(object(discriminator)["mapping"])),
    ];
  });
  return new Set(refs.map((ref) => String(ref).split("/").at(-1) ?? ""));
}

function schemaView(name: string, schema: unknown, isVariant: boolean): Json {
  const original = object(schema);
  const common = {
    "x-schema": JSON.stringify(name),
    ...(original["description"] !== undefined && { description: original["description"] }),
  };
  if (isEnum(original)) return { ...original, ...common, "x-values": enumLiteral(original["enum"] as unknown[]) };
  const properties = Object.entries(object(original["properties"]));
  const isPlain =
    original["type"] === "object" &&
    original["nullable"] !== true &&
    properties.length > 0 &&
    !isVariant &&
    !complex.some((keyword) => keyword in original) &&
    properties.every(([property, value]) => identifier.test(property) && isSimple(value));
  if (!isPlain) return aliasView(original, common);

  const constraints = properties.flatMap(([property, value]) => {
    const found = constraintsOf(object(value));
    return found.length === 0 ? [] : [[property, Object.fromEntries(found)] as const];
  });
  return {
    type: "object",
    ...common,
    ...(original["required"] !== undefined && { required: original["required"] }),
    properties: Object.fromEntries(properties.map(([property, value]) => [property, propertyView(object(value))])),
    ...(constraints.length > 0 && { "x-constraints": literal(Object.fromEntries(constraints)) }),
  };
}

/** What decides a simple property's type. A format would make the generator choose types of its own, such as Blob. */
function typeOf(property: Json): Json {
  const kept = ["$ref", "type", "enum", "uniqueItems", "description", "readOnly", "deprecated"];
  const type = Object.fromEntries(Object.entries(property).filter(([keyword]) => kept.includes(keyword)));
  return isObject(property["items"]) ? { ...type, items: typeOf(property["items"]) } : type;
}

function constraintsOf(property: Json): [keyword: string, value: unknown][] {
  return constraintKeywords.flatMap((keyword) => {
    const value = property[keyword];
    return value === undefined || value === false ? [] : [[keyword, value] as [string, unknown]];
  });
}

/** A stand-in whose properties are for the documentation only; without any, the generator would not see a model. */
function aliasView(original: Json, common: Json): Json {
  const parts = [original, ...(Array.isArray(original["allOf"]) ? original["allOf"] : [])];
  const properties = parts
    .flatMap((part) => Object.entries(object(object(part)["properties"])))
    .filter(([property]) => identifier.test(property))
    .map(([property, value]) => [property, isSimple(value) ? propertyView(object(value)) : pickProse(value)] as const);
  return {
    type: "object",
    ...common,
    "x-alias": common["x-schema"],
    ...(properties.length > 0 && { "x-has-properties": true }),
    properties: properties.length > 0 ? Object.fromEntries(properties) : { value: {} },
  };
}

function pickProse(value: unknown): Json {
  const { description } = object(value);
  return typeof description === "string" ? { description } : {};
}

function propertyView(property: Json): Json {
  // Nothing may stand beside a reference.
  if ("$ref" in property) return property;
  let innermost = property;
  while (isObject(innermost["items"])) innermost = innermost["items"];
  const values = innermost["enum"];
  // A property that refers to a schema shows the schema's extensions as its own: hence other names than there.
  return {
    ...typeOf(property),
    ...(Array.isArray(values) && { "x-inline-values": enumLiteral(values) }),
    "x-text": tableText(property["description"]),
    "x-constraints-text": constraintsOf(property)
      .map(([keyword, value]) => `${keyword} ${tableText(literal(value))}`)
      .join(", "),
  };
}

/** Whether the generator's type of a property is openapi-typescript's. */
function isSimple(value: unknown): boolean {
  const schema = object(value);
  if (typeof schema["$ref"] === "string") return Object.keys(schema).length === 1;
  if (schema["nullable"] === true || complex.some((keyword) => keyword in schema)) return false;
  if (schema["type"] === "array") return isSimple(schema["items"]);
  return isEnum(schema) || (simpleTypes.has(String(schema["type"])) && !("enum" in schema));
}

function isEnum(schema: Json): boolean {
  const values = schema["enum"];
  if (!Array.isArray(values) || values.length === 0 || schema["nullable"] === true) return false;
  const type = schema["type"];
  if (type === "string") return values.every((value) => typeof value === "string");
  return (type === "integer" || type === "number") && values.every((value) => typeof value === "number");
}

function enumLiteral(values: readonly unknown[]): string {
  const keys = enumKeys(values);
  return literal(Object.fromEntries(values.map((value, index) => [keys[index] ?? "", value])));
}

/**
 * The keys of an enum's constant: each value's words in PascalCase, `counterparties:pii:read` → `CounterpartiesPiiRead`,
 * and a number behind the second of two that would be alike.
 */
export function enumKeys(values: readonly unknown[]): string[] {
  const taken = new Set<string>();
  return values.map((value) => {
    const text = String(value);
    const words = text.match(/[A-Za-z0-9]+/g) ?? [text === "" ? "Empty" : "Value"];
    const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
    const base = /^\d/.test(joined) ? `_${joined}` : joined;
    let key = base;
    for (let count = 2; taken.has(key); count++) key = `${base}${count}`;
    taken.add(key);
    return key;
  });
}

/** JSON that is safe as TypeScript: U+2028 and U+2029 end lines there. */
function literal(value: unknown): string {
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

/** Types that the generator does not know appear in the documentation of operations as free-form objects. */
function simplifyContent(holder: unknown): void {
  for (const media of Object.values(object(object(holder)["content"]))) simplifySchema(object(media));
}

function simplifyParameters(parameters: unknown): void {
  for (const parameter of Array.isArray(parameters) ? parameters : []) {
    object(parameter)["x-text"] = tableText(object(parameter)["description"]);
    simplifySchema(object(parameter));
  }
}

function simplifySchema(holder: Json): void {
  const { schema } = holder;
  if (schema !== undefined && !isSimple(schema)) holder["schema"] = { type: "object", ...pickProse(schema) };
}

function exampleCall(spec: OpenApi, method: string, path: string, operation: Json): string {
  const item = object(object(spec["paths"])[path]);
  const follow = (value: unknown): Json => {
    const ref = object(value)["$ref"];
    return object(typeof ref === "string" ? resolve(spec, ref) : value);
  };
  const params: Record<string, Json> = {};
  for (const parameter of [item["parameters"], operation["parameters"]].flatMap((list) =>
    Array.isArray(list) ? list : [],
  )) {
    const { name, in: place, required, schema } = follow(parameter);
    if (required !== true || typeof name !== "string" || typeof place !== "string") continue;
    params[place] = { ...params[place], [name]: sample(spec, schema) };
  }
  const media = object(object(follow(operation["requestBody"])["content"])["application/json"]);
  const init = {
    ...(Object.keys(params).length > 0 && { params }),
    ...("schema" in media && { body: sample(spec, media["schema"]) }),
  };
  const argument = Object.keys(init).length > 0 ? `, ${literal(init)}` : "";
  return [
    'import { clientCredentials, createCustomerTokensClient } from "cybrid-customer-tokens";',
    "",
    'const auth = clientCredentials({ clientId: "…", clientSecret: "…", scopes: [' + scopesOf(operation) + "] });",
    "const cybrid = createCustomerTokensClient({ auth });",
    "",
    `const { data, error, response } = await cybrid.api.${method.toUpperCase()}(${JSON.stringify(path)}${argument});`,
  ].join("\n");
}

function scopesOf(operation: Json): string {
  const requirements = Array.isArray(operation["security"]) ? operation["security"] : [];
  const scopes = requirements.flatMap((requirement) => Object.values(object(requirement)).flat());
  return [...new Set(scopes.map((scope) => JSON.stringify(scope)))].join(", ");
}

/** A value that a schema allows, for an example; the shortest where there is a choice. */
function sample(spec: OpenApi, value: unknown, depth = 0): unknown {
  if (depth > 20) throw new Refusal("a request that holds itself has no example: write one in scripts/examples");
  const given = object(value);
  const schema = typeof given["$ref"] === "string" ? object(resolve(spec, given["$ref"])) : given;
  const below = (part: unknown): unknown => sample(spec, part, depth + 1);
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  if ("const" in schema) return schema["const"];
  for (const keyword of ["oneOf", "anyOf"]) {
    if (Array.isArray(schema[keyword]) && schema[keyword].length > 0) return below(schema[keyword][0]);
  }
  if (Array.isArray(schema["allOf"])) return Object.assign({}, ...schema["allOf"].map(below));
  switch (Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"]) {
    case "string":
      return schema["format"] === "date-time" ? "2026-08-01T00:00:00Z" : "x".repeat(Number(schema["minLength"] ?? 1));
    case "integer":
    case "number":
      return Number(schema["minimum"] ?? 0);
    case "boolean":
      return true;
    case "array":
      return [below(schema["items"])];
    default: {
      const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : [];
      const properties = object(schema["properties"]);
      return Object.fromEntries(required.map((name) => [name, below(properties[name])]));
    }
  }
}
