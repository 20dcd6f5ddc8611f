import { escapeStep, getIn, isObject, methods, object, resolve } from "../spec/json.js";
import type { Json, OpenApi } from "../spec/json.js";

/**
 * What openapi-generator gets to see of a spec: a small one of OpenAPI 3.0, made of nothing but what its templates print.
 * Prose in it is harmless wherever it is printed. Whatever the generator would change, quote wrongly or take long over
 * (enums, constraints, examples, names) is written out as TypeScript or Markdown, in extensions that the templates print
 * as they are.
 *
 * The generator decides the types of references, simple values and arrays of them. Where it knows no equal (unions, maps,
 * tuples, inline objects) a marker stands for openapi-typescript's type: see {@link insertTypes}.
 *
 * @param examples hand-written examples by operationId; an operation without one gets a call of the openapi-fetch client
 */
export function generatorView(spec: OpenApi, examples: ReadonlyMap<string, string>): OpenApi {
  const components = object(spec["components"]);
  const schemas = Object.entries(object(components["schemas"]));
  const servers = objects(spec["servers"]).map(({ url }) => ({ url: String(url) }));
  return {
    openapi: "3.0.3",
    info: { title: "API", version: "1" },
    ...(servers.length > 0 && { servers }),
    paths: Object.fromEntries(
      Object.entries(object(spec["paths"])).map(([path, item]) => [path, pathView(spec, path, object(item), examples)]),
    ),
    components: {
      schemas: Object.fromEntries(schemas.map(([name, schema]) => [name, schemaView(spec, name, object(schema))])),
      securitySchemes: harmless(object(components["securitySchemes"])),
    },
  };
}

/** A constant that the module of a model exports. */
interface Constant {
  /** Its name after the model's. */
  name: string;
  /** The property that it is about, or undefined where it is about the whole schema. */
  property?: string;
}

/** What of a schema's model exists at run time, for callers to name; and its properties, where it has any of its own. */
export function constantsOf(spec: OpenApi, name: string): { constants: Constant[]; properties?: string[] } {
  const view = schemaView(spec, name, object(object(object(spec["components"])["schemas"])[name]));
  if ("x-alias" in view) return { constants: [] };
  if ("x-values" in view) return { constants: [{ name: "" }] };
  const properties = Object.entries(object(view["properties"]));
  const limits = view["x-constraints"];
  const limited = typeof limits === "string" ? Object.keys(JSON.parse(limits) as object) : [];
  return {
    constants: [
      ...properties.flatMap(([property, field]) => {
        const { "x-enum": enumName } = object(field);
        return typeof enumName === "string" ? [{ name: enumName, property }] : [];
      }),
      ...limited.map((property) => ({ name: `Constraints.${property}`, property })),
    ],
    properties: properties.map(([property]) => property),
  };
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** What a reference leads to, or the value itself where it is none. */
function follow(spec: OpenApi, value: unknown): Json {
  const { $ref } = object(value);
  return object(typeof $ref === "string" ? resolve(spec, $ref) : value);
}

// What is printed: text, and markers for types.

/** Ends and begins of markers: characters for private use, which {@link prose} and {@link literal} let nobody else use. */
const [open, close] = ["\ue000", "\ue001"];

/** A marker for openapi-typescript's type at a place of the spec, or of a reference there. */
function typeMarker(place: string, schema?: unknown): string {
  const { $ref } = object(schema);
  return `${open}${typeof $ref === "string" ? `=${$ref}` : place}${close}`;
}

/**
 * Puts types in the place of their markers.
 *
 * @param typeAt gives the type at a place that {@link generatorView} named; `isRef` where it is a reference to that place
 */
export function insertTypes(text: string, typeAt: (place: string, isRef: boolean) => string): string {
  return text.replace(/\ue000(=?)([^\ue001]*)\ue001/g, (_, ref: string, place: string) => typeAt(place, ref !== ""));
}

/** Text for people, harmless in comments and in Markdown, where no HTML, image or link with code may come of it. */
function prose(value: unknown): string {
  if (typeof value !== "string") return "";
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("*/", "*&#47;")
    .replaceAll("![", "!\\[")
    .replace(/\]\(\s*(?!https:\/\/|#)/g, "]\\(")
    .replace(/^(\s*\[[^\]]*\]):/gm, "$1\\:")
    .replace(/[\p{Cc}\p{Co}\p{Zl}\p{Zp}]+/gu, (gap) => (/^[\n\t]+$/.test(gap) ? gap : " "))
    .trim();
}

/** Text for one cell of a Markdown table. */
function cell(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|");
}

/** Text as code in Markdown, as it is: its fence has more back-ticks than any row of them in it. */
export function code(text: string): string {
  const shown = text.replace(/[\p{Cc}\p{Co}\p{Zl}\p{Zp}]/gu, " ");
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return /^`|`$|^ .* $|^$/.test(shown) ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`;
}

/** A copy in which all prose is harmless. */
function harmless(value: unknown, key?: string): unknown {
  if (Array.isArray(value)) return value.map((item) => harmless(item));
  if (!isObject(value)) return key === "description" ? prose(value) : value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, harmless(member, name)]));
}

/** JSON that is safe as TypeScript, where U+2028 and U+2029 end lines, and that holds no markers. */
function literal(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u2028\u2029\ue000\ue001]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}

/** What a schema says about itself, as a comment of TypeScript; undefined where it says nothing. */
function comment(schema: Json): string | undefined {
  const parts = [prose(schema["description"]), schema["deprecated"] === true ? "@deprecated" : ""].filter(Boolean);
  const text = parts.join("\n\n");
  if (text === "") return undefined;
  return text.includes("\n") ? `/**\n * ${text.replaceAll("\n", "\n * ")}\n */` : `/** ${text} */`;
}

// Schemas.

const identifier = /^[A-Za-z_]\w*$/;
const scalars = new Set(["string", "integer", "number", "boolean"]);
/** Keywords that make a schema more than the generator's interfaces can say. */
const complex = ["oneOf", "anyOf", "not", "const", "patternProperties", "prefixItems", "discriminator", "$defs"];
/** Keywords that local validation needs (JSON Schema validation, section 6). */
const constraintKeywords =
  "minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems uniqueItems".split(
    " ",
  );

/** A property of an object, of its own or of one of the objects that it is made of. */
interface Field {
  name: string;
  schema: Json;
  isRequired: boolean;
  /** What openapi-typescript calls its place. */
  place: string;
}

function schemaView(spec: OpenApi, name: string, schema: Json): Json {
  const place = `#/components/schemas/${name}`;
  const common = {
    type: "object",
    "x-schema": literal(name),
    "x-comment": comment(schema),
    "x-text": prose(schema["description"]),
  };
  if (isEnum(schema)) {
    return {
      ...common,
      // Without properties the generator would see no model.
      properties: { value: {} },
      "x-values": enumLiteral(schema),
      "x-value-rows": valueRows(schema),
      ...(typeOf(schema).isNullable && { "x-or-null": true }),
    };
  }
  const fields = isVariant(spec, place) ? undefined : fieldsOf(spec, schema, place);
  if (fields === undefined) {
    return {
      ...common,
      properties: { value: {} },
      "x-alias": typeMarker(place),
      "x-limits": cell(constraintsOf(schema).map(limit).join(", ")),
    };
  }
  const enums = enumKeys(fields.map((field) => field.name));
  const constraints = fields.flatMap((field) => {
    const found = constraintsOf(field.schema);
    return found.length === 0 ? [] : [[field.name, Object.fromEntries(found)] as const];
  });
  const required = fields.filter(({ isRequired }) => isRequired).map((field) => field.name);
  return {
    ...common,
    properties: Object.fromEntries(fields.map((field, index) => [field.name, fieldView(field, `${enums[index]}Enum`)])),
    ...(required.length > 0 && { required }),
    ...(constraints.length > 0 && { "x-constraints": literal(Object.fromEntries(constraints)) }),
  };
}

/** The properties of an object, with those of the parts of its `allOf`; undefined where it is more than properties. */
function fieldsOf(spec: OpenApi, schema: Json, place: string, around: readonly string[] = []): Field[] | undefined {
  const { $ref } = schema;
  if (typeof $ref === "string") {
    if (around.includes($ref) || isVariant(spec, $ref)) return undefined;
    return fieldsOf(spec, object(resolve(spec, $ref)), $ref, [...around, $ref]);
  }
  const { type, isNullable } = typeOf(schema);
  const isOpen = "additionalProperties" in schema && schema["additionalProperties"] !== false;
  const isClear = type === "object" || (type === undefined && ("properties" in schema || "allOf" in schema));
  if (!isClear || isNullable || isOpen || complex.some((keyword) => keyword in schema)) return undefined;
  const fields: Field[] = Object.entries(object(schema["properties"])).map(([name, value]) => ({
    name,
    schema: object(value),
    isRequired: false,
    place: `${place}/${escapeStep(name)}`,
  }));
  for (const part of objects(schema["allOf"])) {
    const found = fieldsOf(spec, part, place, around);
    if (found === undefined) return undefined;
    fields.push(...found);
  }
  // openapi-typescript takes an object of which nothing is known for one that has no properties.
  if (fields.length === 0 || new Set(fields.map(({ name }) => name)).size < fields.length) return undefined;
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return fields.map((field) => ({ ...field, isRequired: field.isRequired || required.includes(field.name) }));
}

const variants = new WeakMap<OpenApi, Set<unknown>>();

/** Whether a schema is one that a discriminator tells from others: openapi-typescript narrows that property in it. */
function isVariant(spec: OpenApi, ref: string): boolean {
  let refs = variants.get(spec);
  if (!refs) {
    const told = Object.values(object(object(spec["components"])["schemas"])).map(object);
    refs = new Set(
      told
        .filter((schema) => "discriminator" in schema)
        .flatMap(({ discriminator, oneOf, anyOf }) => [
          ...[...objects(oneOf), ...objects(anyOf)].map(({ $ref }) => $ref),
          ...Object.values(object(object(discriminator)["mapping"])),
        ]),
    );
    variants.set(spec, refs);
  }
  return refs.has(ref);
}

function fieldView({ name, schema, place }: Field, enumName: string): Json {
  const shared = {
    ...(schema["readOnly"] === true && { readOnly: true }),
    "x-field-comment": comment(schema),
    "x-field-text": cell(`${schema["deprecated"] === true ? "**Deprecated.** " : ""}${prose(schema["description"])}`),
    "x-field-limits": cell(constraintsOf(schema).map(limit).join(", ")),
  };
  const isIdentifier = identifier.test(name);
  if (isIdentifier) {
    const type = simpleType(schema);
    // Nothing may stand beside a reference.
    if (type && "$ref" in type) return type;
    if (type) return { ...shared, ...type, ...(typeOf(schema).isNullable && { nullable: true }) };
    const values = enumOf(schema);
    if (values) {
      const arrays = values.depth;
      return {
        ...shared,
        type: "string",
        ...(typeOf(schema).isNullable && { nullable: true }),
        "x-enum": enumName,
        "x-before": "Array<".repeat(arrays),
        "x-after": ">".repeat(arrays),
        "x-field-values": enumLiteral(values.schema),
        "x-field-value-rows": valueRows(values.schema),
      };
    }
  }
  const type = typeMarker(place, schema);
  return { ...shared, "x-type": type, "x-name": literal(name), "x-label": cell(code(name)) };
}

/** What decides the type of a schema that the generator gives openapi-typescript's type; undefined for others. */
function simpleType(schema: Json): Json | undefined {
  if (typeof schema["$ref"] === "string") return { $ref: schema["$ref"] };
  if (hasMore(schema) || "enum" in schema) return undefined;
  const { type = "" } = typeOf(schema);
  if (scalars.has(type)) return { type };
  const { items } = schema;
  if (type !== "array" || !isObject(items) || typeOf(items).isNullable) return undefined;
  const inner = simpleType(items);
  return inner && { type, items: inner };
}

function hasMore(schema: Json): boolean {
  return [...complex, "allOf", "additionalProperties", "properties"].some((keyword) => keyword in schema);
}

/** The type that a schema names, and whether it allows `null` beside it: in the ways of OpenAPI 3.0 and 3.1. */
function typeOf({ type, nullable, enum: values }: Json): { type?: string; isNullable: boolean } {
  const types: unknown[] = Array.isArray(type) ? type.filter((name) => name !== "null") : [type];
  const isNullable =
    nullable === true ||
    (Array.isArray(type) && type.includes("null")) ||
    (Array.isArray(values) && values.includes(null));
  const [only] = types;
  if (types.length === 1 && typeof only === "string") return { type: only, isNullable };
  return { ...(types.length > 1 && { type: "several" }), isNullable };
}

/** The enum that a schema is, or that is within the arrays that it is. */
function enumOf(schema: Json): { schema: Json; depth: number } | undefined {
  if (isEnum(schema)) return { schema, depth: 0 };
  const { items } = schema;
  if (hasMore(schema) || typeOf(schema).type !== "array" || !isObject(items) || typeOf(items).isNullable)
    return undefined;
  const inner = enumOf(items);
  return inner && { schema: inner.schema, depth: inner.depth + 1 };
}

function valuesOf(schema: Json): unknown[] {
  return Array.isArray(schema["enum"]) ? schema["enum"].filter((value) => value !== null) : [];
}

function isEnum(schema: Json): boolean {
  const values = valuesOf(schema);
  if (values.length === 0 || hasMore(schema)) return false;
  const { type } = typeOf(schema);
  const isOf = (name: string): boolean => values.every((value) => typeof value === name);
  if (type === "string" || type === undefined) return isOf("string");
  return (type === "integer" || type === "number") && isOf("number");
}

function enumLiteral(schema: Json): string {
  const values = valuesOf(schema);
  const keys = enumKeys(values);
  return literal(Object.fromEntries(values.map((value, index) => [keys[index] ?? "", value])));
}

function valueRows(schema: Json): string {
  const values = valuesOf(schema);
  const keys = enumKeys(values);
  return values.map((value, index) => `| \`${keys[index]}\` | ${cell(code(literal(value)))} |`).join("\n");
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

function constraintsOf(schema: Json): [keyword: string, value: unknown][] {
  return constraintKeywords.flatMap((keyword) => {
    const value = schema[keyword];
    return value === undefined || value === false ? [] : [[keyword, value] as [string, unknown]];
  });
}

function limit([keyword, value]: [keyword: string, value: unknown]): string {
  return value === true ? keyword : `${keyword} ${code(literal(value))}`;
}

// Operations.

function pathView(spec: OpenApi, path: string, item: Json, examples: ReadonlyMap<string, string>): Json {
  return Object.fromEntries(
    methods
      .filter((method) => isObject(item[method]))
      .map((method) => [method, operationView(spec, method, path, examples)]),
  );
}

function operationView(spec: OpenApi, method: string, path: string, examples: ReadonlyMap<string, string>): Json {
  const operation = object(getIn(spec, ["paths", path, method]));
  const { operationId, tags, security } = operation;
  const place = `#/paths/${escapeStep(path)}/${method}`;
  const example = examples.get(String(operationId)) ?? exampleCall(spec, method, path, operation);
  const { $ref } = object(operation["requestBody"]);
  const body = follow(spec, operation["requestBody"]);
  const bodyPlace = typeof $ref === "string" ? $ref : `${place}/requestBody`;
  const responses = Object.entries(object(operation["responses"])).map(([status, value]) => {
    const { $ref: ref } = object(value);
    return [
      status,
      responseView(status, follow(spec, value), typeof ref === "string" ? ref : `${place}/responses/${status}`),
    ] as const;
  });
  return {
    ...(operationId !== undefined && { operationId }),
    ...(tags !== undefined && { tags }),
    ...(security !== undefined && { security }),
    ...(operation["deprecated"] === true && { deprecated: true }),
    "x-summary": cell(prose(operation["summary"])),
    "x-text": prose(operation["description"]),
    "x-example": example.trimEnd(),
    parameters: parametersOf(spec, path, operation).map(({ ref, parameter }) => ({
      name: String(parameter["name"]),
      in: String(parameter["in"]),
      required: parameter["required"] === true,
      schema: { type: "string" },
      "x-label": cell(code(String(parameter["name"]))),
      "x-text": cell(prose(parameter["description"])),
      "x-type-cell": typeMarker(
        ref ?? `${place}/parameters/${String(parameter["in"])}/${escapeStep(String(parameter["name"]))}`,
        parameter["schema"],
      ),
    })),
    ...("content" in body && {
      requestBody: {
        required: body["required"] === true,
        content: contentView(body["content"]),
        "x-text": cell(prose(body["description"])),
        "x-type-cell": contentMarkers(body, bodyPlace),
      },
    }),
    responses: Object.fromEntries(responses),
    "x-return-type": responses.find(([status]) => status.startsWith("2"))?.[1]["x-type-cell"] ?? "-",
  };
}

function parametersOf(spec: OpenApi, path: string, operation: Json): { parameter: Json; ref?: string }[] {
  const lists = [getIn(spec, ["paths", path, "parameters"]), operation["parameters"]];
  const found = new Map<string, { parameter: Json; ref?: string }>();
  for (const value of lists.flatMap(objects)) {
    const parameter = follow(spec, value);
    // An operation's own parameter stands for its path's.
    found.set(`${String(parameter["in"])} ${String(parameter["name"])}`, {
      parameter,
      ...(typeof value["$ref"] === "string" && { ref: value["$ref"] }),
    });
  }
  return [...found.values()];
}

function responseView(status: string, response: Json, place: string): Json {
  const { headers, "x-message-codes": codes } = response;
  return {
    description: "…",
    // The generator would make `default` 0.
    "x-status": status,
    ...("content" in response && { content: contentView(response["content"]) }),
    "x-text": cell(prose(response["description"])),
    "x-codes":
      Array.isArray(codes) && codes.length > 0 ? cell(codes.map((value) => code(String(value))).join(", ")) : "-",
    "x-type-cell": contentMarkers(response, place) || "-",
    "x-headers": cell(Object.keys(object(headers)).map(code).join(", ")) || "-",
  };
}

/** Content with its media types alone. */
function contentView(content: unknown): Json {
  return Object.fromEntries(
    Object.keys(object(content)).map((mediaType) => [mediaType, { schema: { type: "object" } }]),
  );
}

/** Markers for the types of a body, one for each type that its media types have. */
function contentMarkers(holder: Json, place: string): string {
  const types = Object.entries(object(holder["content"]))
    .filter(([, media]) => "schema" in object(media))
    .map(([mediaType, media]) => typeMarker(`${place}/content/${escapeStep(mediaType)}`, object(media)["schema"]));
  return [...new Set(types)].join(", ");
}

// Examples.

function exampleCall(spec: OpenApi, method: string, path: string, operation: Json): string {
  const params: Record<string, Json> = {};
  for (const { parameter } of parametersOf(spec, path, operation)) {
    const { name, in: location, required, schema } = parameter;
    if (required !== true || typeof name !== "string" || typeof location !== "string") continue;
    params[location] = { ...params[location], [name]: sample(spec, schema) };
  }
  const media = object(object(follow(spec, operation["requestBody"])["content"])["application/json"]);
  const init = {
    ...(Object.keys(params).length > 0 && { params }),
    ...("schema" in media && { body: sample(spec, media["schema"]) }),
  };
  const argument = Object.keys(init).length > 0 ? `, ${objectText(init)}` : "";
  return [
    'import { clientCredentials, createCustomerTokensClient } from "cybrid-customer-tokens";',
    "",
    "const cybrid = createCustomerTokensClient({",
    `  auth: clientCredentials({ clientId: "…", clientSecret: "…", scopes: [${scopesOf(operation)}] }),`,
    "});",
    "",
    `const { data, error, response } = await cybrid.api.${method.toUpperCase()}(${literal(path)}${argument});`,
  ].join("\n");
}

/** A value as prettier would write it, or nearly so. */
function objectText(value: unknown, indent = ""): string {
  const below = `${indent}  `;
  let parts: string[];
  if (Array.isArray(value)) parts = value.map((item) => objectText(item, below));
  else if (isObject(value)) {
    parts = Object.entries(value).map(
      ([key, member]) => `${identifier.test(key) ? key : literal(key)}: ${objectText(member, below)}`,
    );
  } else return literal(value);
  const [start, end] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const line = parts.join(", ");
  if (line.length + indent.length < 80 && !line.includes("\n")) {
    return line === "" || start === "[" ? `${start}${line}${end}` : `${start} ${line} ${end}`;
  }
  return `${start}\n${parts.map((part) => `${below}${part},\n`).join("")}${indent}${end}`;
}

function scopesOf(operation: Json): string {
  const scopes = objects(operation["security"]).flatMap((requirement) => Object.values(requirement).flat());
  return [...new Set(scopes.map((scope) => literal(scope)))].join(", ");
}

/** A value that a schema allows, for an example; the shortest where there is a choice, and cut off where it is long. */
function sample(spec: OpenApi, value: unknown, budget = { values: 100 }): unknown {
  if (--budget.values < 0) return {};
  const schema = follow(spec, value);
  const below = (part: unknown): unknown => sample(spec, part, budget);
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  if ("const" in schema) return schema["const"];
  for (const keyword of ["oneOf", "anyOf"]) {
    if (Array.isArray(schema[keyword]) && schema[keyword].length > 0) return below(schema[keyword][0]);
  }
  if (Array.isArray(schema["allOf"])) return Object.assign({}, ...schema["allOf"].map(below));
  switch (Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"]) {
    case "string":
      if (schema["format"] === "date-time") return "2026-08-01T00:00:00Z";
      return "x".repeat(Math.min(Math.max(Number(schema["minLength"]) || 1, 1), 100));
    case "integer":
    case "number":
      return Number(schema["minimum"]) || 0;
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
