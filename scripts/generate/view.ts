import { type Json, type OpenApi, isObject, list, object, objects, schemasOf } from "../spec/json.js";
import { operationsOf } from "../spec/operations.js";
import { enumKeys, enumOf } from "./constants.js";
import { OperationDocs, modelAt } from "./docs.js";
import { prose } from "./text.js";

/** The name of each schema's model, in the order of the schemas; and a sentence for each pair that would be called alike. */
export function modelNames(spec: OpenApi): { names: Map<string, string>; alike: string[] } {
  const schemas = Object.keys(schemasOf(spec));
  const names = new Map<string, string>();
  const taken = new Map<string, string>();
  const alike: string[] = [];
  const pascal = (schema: string): string => enumKeys([schema]).join().replace(/^_/, "Model");
  // A name in Pascal case comes first, and so keeps it. The others are in an order that no new schema changes.
  const order = [...schemas].sort((a, b) => Number(pascal(b) === b) - Number(pascal(a) === a) || (a < b ? -1 : 1));
  for (const schema of order) {
    const base = `${pascal(schema)}IdpModel`;
    let name = base;
    // Pages are files, and some file systems do not tell A from a.
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${base}${count}`;
    const other = taken.get(base.toLowerCase());
    if (other !== undefined)
      alike.push(`the schemas "${other}" and "${schema}" are called alike: the model of the second is ${name}`);
    taken.set(name.toLowerCase(), schema);
    names.set(schema, name);
  }
  return { names: new Map(schemas.map((schema) => [schema, names.get(schema) ?? ""])), alike };
}

/**
 * What openapi-generator gets to see: the description without what it would change, quote wrongly or stumble over. Its
 * schemas have the names of their models already, since it maps names such as `File` and `Error` to types of its own. Prose
 * is harmless. What it has no exact type for (unions, `allOf`, nested objects) is left out, and the model becomes an alias.
 * What the pages of the reference show of an operation is Markdown already, in extensions.
 *
 * @param models the name of each schema's model
 * @param examples an example of each operation, by its route
 */
export function generatorView(
  spec: OpenApi,
  models: ReadonlyMap<string, string>,
  examples: ReadonlyMap<string, string>,
): OpenApi {
  const docs = new OperationDocs(spec, models);
  const paths = operationsOf(spec).map((operation, index) => {
    const { operationId, tags, deprecated } = operation.fields;
    const view = {
      operationId,
      tags,
      deprecated: deprecated === true,
      responses: { default: { description: "" } },
      "x-example": examples.get(operation.route)?.trimEnd(),
      ...docs.of(operation),
    };
    // The generator would rewrite what a path holds.
    return [`/${index}`, { [operation.method]: view }];
  });
  const schemas = schemasOf(spec);
  const views = [...models].map(([schemaName, model]) => {
    const schema = object(schemas[schemaName]);
    return [model, { ...schemaView(schema, models), "x-text": prose(schema["description"]) }];
  });
  return {
    openapi: "3.0.3",
    info: { title: "API", version: "1" },
    servers: objects(spec["servers"]).map(({ url }) => ({ url: String(url) })),
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(views) },
  };
}

/** Keywords that make a schema more than the generator's types can say. */
const composing = "oneOf anyOf allOf not const patternProperties prefixItems discriminator $defs".split(" ");

/** What TypeScript takes for a name without quotes. */
const identifier = /^[A-Za-z_]\w*$/;

/** A component's schema. Where it is no plain object, a placeholder: without one, there would be no page. */
function schemaView(schema: Json, models: ReadonlyMap<string, string>): Json {
  const { type, properties, additionalProperties, description, deprecated } = schema;
  const fields = Object.entries(object(properties));
  const isPlain =
    (type ?? "object") === "object" &&
    (additionalProperties ?? false) === false &&
    ![...composing, "enum", "nullable"].some((key) => key in schema) &&
    fields.every(([name]) => identifier.test(name));
  if (!isPlain || fields.length === 0) return { type: "object", properties: { value: {} } };
  const required = fields.map(([name]) => name).filter((name) => list(schema["required"]).includes(name));
  return {
    type: "object",
    description: prose(description),
    deprecated: deprecated === true,
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(fields.map(([name, field]) => [name, fieldView(object(field), models)])),
  };
}

/** A property's schema; one of any type where the generator has no exact one. */
function fieldView(schema: Json, models: ReadonlyMap<string, string>): Json {
  const { $ref, items, additionalProperties } = schema;
  if (typeof $ref === "string") {
    const model = modelAt($ref, models);
    return model === undefined ? {} : { $ref: `#/components/schemas/${model}` };
  }
  const description = prose(schema["description"]);
  const types = [schema["type"]].flat();
  const [type, ...others] = types.filter((each) => each !== "null");
  const isKnown = type === undefined || /^(?:string|integer|number|boolean|array|object)$/.test(String(type));
  if (!isKnown || others.length > 0 || [...composing, "properties"].some((key) => key in schema))
    return { description };
  return {
    description,
    type,
    deprecated: schema["deprecated"] === true,
    nullable: schema["nullable"] === true || types.includes("null"),
    readOnly: schema["readOnly"] === true,
    // Its constant is our own, and the name of its type is the same whatever it holds.
    ...(enumOf(schema) && { type: "string", enum: ["x"] }),
    ...(items !== undefined && { items: fieldView(object(items), models) }),
    ...(isObject(additionalProperties) && { additionalProperties: fieldView(additionalProperties, models) }),
  };
}
