import { type Json, type Path, isObject, mappedRef } from "./json.js";

/**
 * Each type of object in OpenAPI 3.0, 3.1 and 3.2 and JSON Schema: the kinds of its values, each with the fields that hold
 * them. `kind[]` is a list of such values, `kind{}` a map whose keys are names that the author of the description chose,
 * `a | b` is either, and a kind without fields is a field of the same name. The field "*" means that all of the object's keys
 * are names that the author chose.
 */
const grammar = {
  openapi: `text: openapi jsonSchemaDialect $self; info; server[]: servers; paths; pathItem{}: webhooks; components;
    scope[]{}[]: security; tag[]: tags; externalDocs`,
  info: "label: version; text: termsOfService; prose: title description summary; contact; license",
  contact: "text: name url email",
  license: "text: name identifier url",
  externalDocs: "prose: description; text: url",
  tag: "label: name parent; text: kind; prose: description summary; externalDocs",
  server: "text: url name; prose: description; serverVariable{}: variables",
  serverVariable: "label: default; label[]: enum; prose: description",
  components: `schema{}: schemas; response{}: responses; parameter{}: parameters; example{}: examples; link{}: links;
    requestBody{}: requestBodies; header{}: headers; securityScheme{}: securitySchemes; callback{}: callbacks;
    pathItem{}: pathItems; mediaType{}: mediaTypes`,
  paths: "pathItem: *",
  pathItem: `prose: summary description; operation: get put post delete options head patch trace query;
    operation{}: additionalOperations; server[]: servers; parameter[]: parameters`,
  operation: `text: operationId; label[]: tags; prose: summary description; externalDocs; parameter[]: parameters;
    requestBody; responses; callback{}: callbacks; boolean: deprecated; scope[]{}[]: security; server[]: servers`,
  parameter: `text: name in style; prose: description; schema; mediaType{}: content; data: example;
    boolean: required deprecated allowEmptyValue explode allowReserved; example{} | data: examples`,
  header: `text: style; prose: description; schema; mediaType{}: content; data: example;
    boolean: required deprecated allowEmptyValue explode allowReserved; example{} | data: examples`,
  requestBody: "prose: description; mediaType{}: content; boolean: required",
  mediaType: `prose: description; schema: schema itemSchema; data: example; example{} | data: examples;
    encoding{}: encoding; encoding[]: prefixEncoding; encoding: itemEncoding`,
  encoding: `text: contentType style; header{}: headers; boolean: explode allowReserved; encoding{}: encoding;
    encoding[]: prefixEncoding; encoding: itemEncoding`,
  responses: "response: *",
  response: "prose: description summary; header{}: headers; mediaType{}: content; link{}: links",
  callback: "pathItem: *",
  example: "prose: summary description; data: value dataValue; text: externalValue serializedValue",
  link: "text: operationRef operationId; data: parameters requestBody; prose: description; server",
  // A schema has no summary, but generators write it out.
  schema: `schema{}: properties patternProperties dependentSchemas $defs definitions; schema[]: allOf anyOf oneOf prefixItems;
    schema: not if then else contains propertyNames additionalProperties unevaluatedProperties additionalItems
      unevaluatedItems contentSchema; schema | schema[]: items; jsonType | jsonType[]: type; name[]: required;
    name[]{}: dependentRequired; data: default example examples const $vocabulary; data[]: enum;
    prose: title description summary $comment; number: minimum maximum multipleOf;
    text: format pattern contentEncoding contentMediaType $id $schema $anchor $dynamicAnchor;
    boolean: uniqueItems nullable readOnly writeOnly deprecated $recursiveAnchor;
    integer: minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains;
    boolean | number: exclusiveMinimum exclusiveMaximum; ref: $dynamicRef $recursiveRef; discriminator; externalDocs; xml`,
  discriminator: "name: propertyName; schemaRef: defaultMapping; schemaRef{}: mapping",
  xml: "text: name namespace prefix nodeType; boolean: attribute wrapped",
  securityScheme: `text: type name in scheme bearerFormat openIdConnectUrl oauth2MetadataUrl; prose: description;
    oauthFlows: flows; boolean: deprecated`,
  oauthFlows: "oauthFlow: implicit password clientCredentials authorizationCode deviceAuthorization",
  oauthFlow: "text: authorizationUrl tokenUrl refreshUrl deviceAuthorizationUrl; prose{}: scopes",
};

/** The types of values that JSON Schema knows. */
export const jsonTypes = new Set<unknown>("string number integer boolean array object null".split(" "));

/** A type of object that OpenAPI or JSON Schema describes. */
export type ObjectType = keyof typeof grammar;

/**
 * The kinds of other values, each with its test. `prose` is text for people, a `label` a word of the author's
 * choice, which may be a number to YAML, `jsonType` one of {@link jsonTypes}, a `name` that of a property, and a `scope`
 * one that security requires. A `ref` leads to what has the type of the object that holds it, and a `schemaRef` to a schema,
 * also by its bare name. Below `data` nothing is interpreted: examples, defaults, the value of an `x-…` field (`extension`),
 * that of a field which the type of object does not have (`unknown`).
 */
const leaves = {
  ...all("a string", (value) => typeof value === "string", "text", "prose", "label", "jsonType", "name", "scope"),
  ...all("a string", (value) => typeof value === "string", "ref", "schemaRef"),
  ...all("true or false", (value) => typeof value === "boolean", "boolean"),
  ...all("a whole number of 0 or more", (value) => isNumber(value) && value >= 0 && Number(value) % 1 === 0, "integer"),
  ...all("a number", isNumber, "number"),
  ...all("anything", () => true, "data", "extension", "unknown"),
};

interface Leaf {
  expected: string;
  fits(value: unknown): boolean;
}

function all<T extends string>(expected: string, fits: Leaf["fits"], ...kinds: T[]): Record<T, Leaf> {
  return Object.fromEntries(kinds.map((kind) => [kind, { expected, fits }])) as Record<T, Leaf>;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

type One = ObjectType | keyof typeof leaves;

/** The kind of a value in a description: one of a type, a list or a map of such, or lists and maps of those. */
export type Kind = `${One}${"" | "[]" | "{}" | "[]{}" | "[]{}[]"}`;

/** The fields of each type of object, with the kinds that their values may have. */
const fields = new Map(
  Object.entries(grammar).map(([type, rules]) => {
    const all = rules.split(";").flatMap((rule) => {
      const [kinds = "", names = kinds] = rule.trim().split(/:\s+/);
      return names.split(/\s+/).map((name) => [name, kinds.split(" | ") as Kind[]] as const);
    });
    return [type as Kind, new Map(all)] as const;
  }),
);

/** The fields of a type of object, each with the kind of its value (the first one if it may have several). */
export function fieldsOf(type: ObjectType): Map<string, Kind> {
  return new Map([...(fields.get(type) ?? [])].map(([name, [kind]]) => [name, kind as Kind]));
}

/** The kind of the value that a container of a certain kind has at a key. */
export function kindBelow(container: Kind, key: string | number, value: unknown): Kind {
  if (container.endsWith("[]") || container.endsWith("{}")) return container.slice(0, -2) as Kind;
  const known = fields.get(container);
  if (known === undefined) return "data";
  if (key === "$ref" && (typeof value === "string" || !known.has("*"))) return "ref";
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

/** Describes the values of a kind if this is not one. Only the value itself is checked, not its content. */
export function misfit(kind: Kind, value: unknown): string | undefined {
  if (kind.endsWith("[]")) return Array.isArray(value) ? undefined : "a list";
  const leaf = kind in leaves ? leaves[kind as keyof typeof leaves] : undefined;
  if (leaf) return leaf.fits(value) ? undefined : leaf.expected;
  if (kind === "schema") return isObject(value) || typeof value === "boolean" ? undefined : "a schema";
  return isObject(value) ? undefined : "an object";
}

/** One value of a description, with its container. */
export interface Entry {
  /** The container: an object or array. */
  parent: Json | unknown[];
  /** The last step of `path`. */
  key: string | number;
  value: unknown;
  path: Path;
  /** The kind of the value. */
  kind: Kind;
  /** The kind of the container. */
  holder: Kind;
}

/** Visits every value below `root`, containers before their members. A visitor that returns false ends the descent. */
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
