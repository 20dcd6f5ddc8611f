import { type Json, type Path, isObject, mappedRef } from "./json.js";

/**
 * What OpenAPI 3.0, 3.1 and 3.2 and JSON Schema say of each type of object: the kind of value that its fields hold, and
 * the fields. `kind[]` is a list of such, `kind{}` a map from names that the author of the description chose, and `a | b`
 * is either. The field "*" means that all of the object's keys are such names.
 */
const grammar = {
  openapi: {
    text: "openapi jsonSchemaDialect $self",
    info: "info",
    "server[]": "servers",
    paths: "paths",
    "pathItem{}": "webhooks",
    components: "components",
    "scope[]{}[]": "security",
    "tag[]": "tags",
    externalDocs: "externalDocs",
  },
  info: {
    label: "version",
    text: "termsOfService",
    prose: "title description summary",
    contact: "contact",
    license: "license",
  },
  contact: { text: "name url email" },
  license: { text: "name identifier url" },
  externalDocs: { prose: "description", text: "url" },
  tag: { label: "name parent", text: "kind", prose: "description summary", externalDocs: "externalDocs" },
  server: { text: "url name", prose: "description", "serverVariable{}": "variables" },
  serverVariable: { label: "default", "label[]": "enum", prose: "description" },
  components: {
    "schema{}": "schemas",
    "response{}": "responses",
    "parameter{}": "parameters",
    "example{}": "examples",
    "requestBody{}": "requestBodies",
    "header{}": "headers",
    "securityScheme{}": "securitySchemes",
    "link{}": "links",
    "callback{}": "callbacks",
    "pathItem{}": "pathItems",
    "mediaType{}": "mediaTypes",
  },
  paths: { pathItem: "*" },
  pathItem: {
    prose: "summary description",
    operation: "get put post delete options head patch trace query",
    "operation{}": "additionalOperations",
    "server[]": "servers",
    "parameter[]": "parameters",
  },
  operation: {
    text: "operationId",
    "label[]": "tags",
    prose: "summary description",
    externalDocs: "externalDocs",
    "parameter[]": "parameters",
    requestBody: "requestBody",
    responses: "responses",
    "callback{}": "callbacks",
    boolean: "deprecated",
    "scope[]{}[]": "security",
    "server[]": "servers",
  },
  parameter: {
    text: "name in style",
    prose: "description",
    boolean: "required deprecated allowEmptyValue explode allowReserved",
    schema: "schema",
    data: "example",
    "example{} | data": "examples",
    "mediaType{}": "content",
  },
  header: {
    text: "style",
    prose: "description",
    boolean: "required deprecated allowEmptyValue explode allowReserved",
    schema: "schema",
    data: "example",
    "example{} | data": "examples",
    "mediaType{}": "content",
  },
  requestBody: { prose: "description", "mediaType{}": "content", boolean: "required" },
  mediaType: {
    prose: "description",
    schema: "schema itemSchema",
    data: "example",
    "example{} | data": "examples",
    "encoding{}": "encoding",
    "encoding[]": "prefixEncoding",
    encoding: "itemEncoding",
  },
  encoding: {
    text: "contentType style",
    "header{}": "headers",
    boolean: "explode allowReserved",
    "encoding{}": "encoding",
    "encoding[]": "prefixEncoding",
    encoding: "itemEncoding",
  },
  responses: { response: "*" },
  response: { prose: "description summary", "header{}": "headers", "mediaType{}": "content", "link{}": "links" },
  callback: { pathItem: "*" },
  example: { prose: "summary description", data: "value dataValue", text: "externalValue serializedValue" },
  link: {
    text: "operationRef operationId",
    data: "parameters requestBody",
    prose: "description",
    server: "server",
  },
  schema: {
    schema: `not if then else contains propertyNames additionalProperties unevaluatedProperties additionalItems
      unevaluatedItems contentSchema`,
    "schema[]": "allOf anyOf oneOf prefixItems",
    "schema{}": "properties patternProperties dependentSchemas $defs definitions",
    "schema | schema[]": "items",
    "jsonType | jsonType[]": "type",
    "name[]": "required",
    "name[]{}": "dependentRequired",
    data: "default example examples const $vocabulary",
    "data[]": "enum",
    // A schema has no summary, but generators write it out.
    prose: "title description summary $comment",
    text: "format pattern contentEncoding contentMediaType $id $schema $anchor $dynamicAnchor",
    boolean: "uniqueItems nullable readOnly writeOnly deprecated $recursiveAnchor",
    integer: "minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains",
    number: "minimum maximum multipleOf",
    "boolean | number": "exclusiveMinimum exclusiveMaximum",
    ref: "$dynamicRef $recursiveRef",
    discriminator: "discriminator",
    externalDocs: "externalDocs",
    xml: "xml",
  },
  discriminator: { name: "propertyName", schemaRef: "defaultMapping", "schemaRef{}": "mapping" },
  xml: { text: "name namespace prefix nodeType", boolean: "attribute wrapped" },
  securityScheme: {
    text: "type name in scheme bearerFormat openIdConnectUrl oauth2MetadataUrl",
    prose: "description",
    oauthFlows: "flows",
    boolean: "deprecated",
  },
  oauthFlows: { oauthFlow: "implicit password clientCredentials authorizationCode deviceAuthorization" },
  oauthFlow: { text: "authorizationUrl tokenUrl refreshUrl deviceAuthorizationUrl", "prose{}": "scopes" },
} as const;

/** The types of values that JSON Schema knows. */
export const jsonTypes = new Set<unknown>("string number integer boolean array object null".split(" "));

/** A type of object that OpenAPI or JSON Schema describes. */
export type ObjectType = keyof typeof grammar;

/** Values that are no such objects, with what each has to be. */
const leaves = {
  text: ["a string", isString],
  /** Text for people. */
  prose: ["a string", isString],
  /** A word of the author's choice, which may be a number to YAML. */
  label: ["a string", isString],
  /** The name of a type of value; see {@link jsonTypes}. */
  jsonType: ["a string", isString],
  /** A property's name. */
  name: ["a string", isString],
  /** A scope that a security requirement names. */
  scope: ["a string", isString],
  /** A reference, to what has the type of the object that holds it. */
  ref: ["a string", isString],
  /** A reference to a schema, or a schema's bare name. */
  schemaRef: ["a string", isString],
  boolean: ["true or false", (value: unknown) => typeof value === "boolean"],
  integer: [
    "a whole number of 0 or more",
    (value: unknown) => isNumber(value) && value >= 0 && Number(value) % 1 === 0,
  ],
  number: ["a number", isNumber],
  /** Examples, defaults, the values of an enum: nothing below is interpreted. */
  data: ["", () => true],
  /** The value of an `x-…` field. Below it is data. */
  extension: ["", () => true],
  /** The value of a field that the type of object does not have. Below it is data. */
  unknown: ["", () => true],
} as const;

type One = ObjectType | keyof typeof leaves;

/** What a value of a description is: one of a type, a list or a map of such, or lists and maps of those. */
export type Kind = `${One}${"" | "[]" | "{}" | "[]{}" | "[]{}[]"}`;

/** The fields of each type of object, with the kinds that their values may have. */
const fields = new Map(
  Object.entries(grammar).map(([type, byKind]) => {
    const all = Object.entries(byKind as Record<string, string>).flatMap(([kinds, names]) =>
      names.split(/\s+/).map((name) => [name, kinds.split(" | ") as Kind[]] as const),
    );
    return [type as Kind, new Map(all)] as const;
  }),
);

/** The fields of a type of object, each with the kind of its value (the first one where it may have several). */
export function fieldsOf(type: ObjectType): Map<string, Kind> {
  return new Map([...(fields.get(type) ?? [])].map(([name, [kind]]) => [name, kind as Kind]));
}

/** The kind of the value that a container of a certain kind has at a key. */
export function kindBelow(container: Kind, key: string | number, value: unknown): Kind {
  if (container.endsWith("[]") || container.endsWith("{}")) return container.slice(0, -2) as Kind;
  const known = fields.get(container);
  if (known === undefined) return "data";
  if (key === "$ref" && typeof value === "string") return "ref";
  if (String(key).startsWith("x-")) return "extension";
  const kinds = known.get(String(key)) ?? known.get("*") ?? ["unknown"];
  return kinds.find((kind) => misfit(kind, value) === undefined) ?? kinds[0] ?? "unknown";
}

/** Whether the keys of a container of a kind are names that the author of the description chose. */
export function hasNames(container: Kind): boolean {
  return container.endsWith("{}") || fields.get(container)?.has("*") === true;
}

/** Whether the keys of a container of a kind are fields that OpenAPI or JSON Schema describes. */
export function hasFields(container: Kind): boolean {
  return fields.has(container) && !hasNames(container);
}

/** What a value of a kind has to be, where it is something else. What it holds is not looked at. */
export function misfit(kind: Kind, value: unknown): string | undefined {
  if (kind.endsWith("[]")) return Array.isArray(value) ? undefined : "a list";
  const leaf = kind in leaves ? leaves[kind as keyof typeof leaves] : undefined;
  if (leaf) return leaf[1](value) ? undefined : leaf[0];
  if (kind === "schema") return isObject(value) || typeof value === "boolean" ? undefined : "a schema";
  return isObject(value) ? undefined : "an object";
}

function isString(value: unknown): boolean {
  return typeof value === "string";
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** One value of a description, with the container that it stands in. */
export interface Entry {
  /** The container: an object or array. */
  parent: Json | unknown[];
  /** The last step of `path`. */
  key: string | number;
  value: unknown;
  path: Path;
  /** What the value is, by where it stands. */
  kind: Kind;
  /** What the container is. */
  holder: Kind;
}

/** Visits every value below `root`, containers before what they hold. A visitor that returns false ends the descent. */
export function walk(root: Json, visitor: (entry: Entry) => boolean | void, rootKind: Kind = "openapi"): void {
  const path: (string | number)[] = [];
  const descend = (parent: Json | unknown[], holder: Kind): void => {
    for (const [name, value] of Object.entries(parent)) {
      const key = Array.isArray(parent) ? Number(name) : name;
      const kind = kindBelow(holder, key, value);
      path.push(key);
      const goOn = visitor({ parent, key, value, path, kind, holder }) !== false;
      if (goOn && typeof value === "object" && value !== null) descend(value as Json | unknown[], kind);
      path.pop();
    }
  };
  descend(root, rootKind);
}

/** Whether a string with this key is a reference, or looks like one: some tools follow it in data, too. */
export function isRefKey(key: string | number): boolean {
  return key === "$ref" || key === "$dynamicRef" || key === "$recursiveRef";
}

/** The reference that an entry holds, also in data. */
export function refOf({ key, value, kind }: Entry): string | undefined {
  if (typeof value !== "string") return undefined;
  if (kind === "schemaRef") return mappedRef(value);
  return kind === "ref" || (kind === "data" && isRefKey(key)) ? value : undefined;
}
