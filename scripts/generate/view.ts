import { type Json, type OpenApi, isObject, methods, object } from "../spec/json.js";
import { enumKeys, enumOf } from "./constants.js";
import { Docs, modelAt } from "./docs.js";
import { cell, code, objects, prose } from "./text.js";

/** The name of each schema's model, in the order of the schemas; and a sentence for each pair that would be called alike. */
export function modelNames(spec: OpenApi): { names: Map<string, string>; alike: string[] } {
  const schemas = Object.keys(object(object(spec["components"])["schemas"]));
  const names = new Map<string, string>();
  const taken = new Map<string, string>();
  const alike: string[] = [];
  const pascal = (schema: string): string => enumKeys([schema]).join().replace(/^_/, "Model");
  // Who is called like its model keeps the name, and the rest stands in an order that no new schema changes.
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
 * schemas have the names of their models already, since it maps names such as `File` and `Error` to types of its own.
 * Enums have the keys of our own constants, which the verdict knows as well. Prose is harmless. What it has no exact type
 * for (unions, `allOf`, nested objects) is left out, and the model becomes an alias. What only the pages of the reference
 * need is Markdown already, in extensions.
 *
 * @param models the name of each schema's model
 * @param examples an example of each operation, by its method and path
 */
export function generatorView(
  spec: OpenApi,
  models: ReadonlyMap<string, string>,
  examples: ReadonlyMap<string, string>,
): OpenApi {
  const docs = new Docs(spec, models);
  const schemas = object(object(spec["components"])["schemas"]);
  const servers = objects(spec["servers"]).map(({ url }) => ({ url: String(url) }));
  let count = 0;
  const paths = Object.entries(object(spec["paths"])).map(([path, item]) => {
    const operations = methods.flatMap((method) => {
      const operation = object(item)[method];
      if (operation === undefined) return [];
      return [[method, operationView(path, method, object(operation))] as const];
    });
    // The generator would rewrite what a path holds.
    return [`/${++count}`, Object.fromEntries(operations)] as const;
  });
  function operationView(path: string, method: string, operation: Json): Json {
    const { operationId, tags, deprecated } = operation;
    return {
      ...(operationId !== undefined && { operationId }),
      ...(tags !== undefined && { tags }),
      deprecated: deprecated === true,
      responses: { default: { description: "" } },
      "x-path": cell(code(path)),
      "x-summary": cell(prose(operation["summary"])),
      "x-text": prose(operation["description"]),
      "x-example": examples.get(`${method} ${path}`)?.trimEnd(),
      ...docs.operation(path, operation),
    };
  }
  return {
    openapi: "3.0.3",
    info: { title: "API", version: "1" },
    ...(servers.length > 0 && { servers }),
    paths: Object.fromEntries(paths),
    components: {
      schemas: Object.fromEntries(
        [...models].map(([schemaName, model]) => {
          const schema = object(schemas[schemaName]);
          const page = { "x-text": prose(schema["description"]), "x-tables": docs.model(model, schema) };
          return [model, { ...schemaView(schema, models), ...page }];
        }),
      ),
    },
  };
}

/** Keywords that make a schema more than the generator's types can say. */
const composing = "oneOf anyOf allOf not const patternProperties prefixItems discriminator $defs".split(" ");

/** What TypeScript takes for a name without quotes. */
const identifier = /^[A-Za-z_]\w*$/;

/** A component's schema. Where it is no plain object or enum, a placeholder: without one, there would be no page. */
function schemaView(schema: Json, models: ReadonlyMap<string, string>): Json {
  const { required, properties, additionalProperties } = schema;
  const view = fieldView({ ...schema, properties: undefined, additionalProperties: undefined }, models);
  const fields = Object.entries(object(properties)).filter(([name]) => identifier.test(name));
  const isWhole = fields.length === Object.keys(object(properties)).length && (additionalProperties ?? false) === false;
  if (isWhole && fields.length > 0 && (view["type"] ?? "object") === "object") {
    const names = Array.isArray(required) ? fields.map(([name]) => name).filter((name) => required.includes(name)) : [];
    const all = Object.fromEntries(fields.map(([name, field]) => [name, fieldView(object(field), models)]));
    return { ...view, type: "object", properties: all, ...(names.length > 0 && { required: names }) };
  }
  return "enum" in view ? view : { type: "object", properties: { value: {} } };
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
  if (!isKnown || others.length > 0 || [...composing, "properties"].some((key) => schema[key] !== undefined))
    return { description };
  const values = enumOf(schema);
  return {
    description,
    ...(type !== undefined && { type }),
    ...(schema["deprecated"] === true && { deprecated: true }),
    ...((schema["nullable"] === true || types.includes("null")) && { nullable: true }),
    ...(schema["readOnly"] === true && { readOnly: true }),
    ...(values && { enum: Object.values(values), "x-enum-varnames": Object.keys(values) }),
    ...(items !== undefined && { items: fieldView(object(items), models) }),
    ...(isObject(additionalProperties) && { additionalProperties: fieldView(additionalProperties, models) }),
  };
}
