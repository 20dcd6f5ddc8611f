import { type Json, type OpenApi, entries, isObject, asArray, asObject, objectsIn, schemasOf } from "../spec/json.js";
import { hash } from "../spec/names.js";
import { operationsOf } from "../spec/operations.js";
import { enumKeys, enumOf } from "./constants.js";
import { type ModelNames, docsOf, modelAt } from "./docs.js";
import { prose } from "./text.js";

/**
 * The name of each schema's model, in the order of the schemas; and a sentence for each pair that would have the same one.
 *
 * @param suffix what each name ends with
 */
export function modelNames(spec: OpenApi, suffix: string): { names: Map<string, string>; clashes: string[] } {
  const schemas = Object.keys(schemasOf(spec));
  const names = new Map<string, string>();
  const taken = new Map<string, string>();
  const clashes: string[] = [];
  const pascal = (schema: string): string => enumKeys([schema]).join().replace(/^_/, "Model");
  // A name in Pascal case comes first, and so keeps it. The others are in an order that no new schema changes.
  const order = [...schemas].sort((a, b) => Number(pascal(b) === b) - Number(pascal(a) === a) || (a < b ? -1 : 1));
  for (const schema of order) {
    const base = pascal(schema) + suffix;
    let name = base;
    // Pages are files, and some file systems do not distinguish A from a.
    for (let count = 2; taken.has(name.toLowerCase()); count++) name = `${base}${count}`;
    const other = taken.get(base.toLowerCase());
    if (other !== undefined)
      clashes.push(`the schemas "${other}" and "${schema}" would share a model name: the second is called ${name}`);
    taken.set(name.toLowerCase(), schema);
    names.set(schema, name);
  }
  return { names: new Map(schemas.map((schema) => [schema, names.get(schema) ?? ""])), clashes };
}

/**
 * The copy of the description that openapi-generator reads. It leaves out everything that the generator would change, quote
 * wrongly or fail on. Schemas already have the names of their models, since it takes names such as `File` and `Error` for types
 * that it knows. Prose is harmless. Parts that it has no exact type for (unions, `allOf`, nested objects) are left out, and the
 * model becomes an alias. The parts of an operation's page are already Markdown, in extensions.
 *
 * @param models the name of each schema's model
 * @param examples an example of each operation, by its route
 */
export function generatorView(spec: OpenApi, models: ModelNames, examples: ReadonlyMap<string, string>): OpenApi {
  const docs = docsOf(spec, models);
  const paths = operationsOf(spec).map((operation, index) => {
    const { operationId, tags, deprecated } = operation.fields;
    const view = {
      operationId,
      tags: asArray(tags).map((tag) => ascii(String(tag))),
      deprecated: deprecated === true,
      responses: { default: { description: "" } },
      "x-example": examples.get(operation.route)?.trimEnd(),
      ...docs(operation),
    };
    // The generator would rewrite the content of a path.
    return [`/${index}`, { [operation.method]: view }];
  });
  const schemas = schemasOf(spec);
  const views = [...models].map(([schemaName, model]) => {
    const schema = asObject(schemas[schemaName]);
    return [model, { ...schemaView(schema, models), "x-text": prose(schema["description"]) }];
  });
  return {
    openapi: "3.0.3",
    info: { title: "API", version: "1" },
    servers: objectsIn(spec["servers"]).map(({ url }) => ({ url: String(url) })),
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(views) },
  };
}

/** A tag for the name of a page: the generator drops letters that are not ASCII. */
function ascii(tag: string): string {
  const text = tag.normalize("NFKD").replaceAll(/\p{M}/gu, "").replaceAll("ß", "ss");
  return /[^\P{L}A-Za-z]/u.test(text) ? `${text} tag ${hash(tag)}` : text;
}

/** A name that TypeScript takes without quotes. */
const identifier = /^[A-Za-z_]\w*$/;

/** A component's schema as an object with the properties that it describes. */
function schemaView(schema: Json, models: ModelNames): Json {
  const fields = entries(schema["properties"]).filter(([name]) => identifier.test(name));
  const required = fields.map(([name]) => name).filter((name) => asArray(schema["required"]).includes(name));
  const properties = fields.map(([name, field]) => [name, fieldView(asObject(field), models)]);
  return {
    type: "object",
    description: prose(schema["description"]),
    deprecated: schema["deprecated"] === true,
    ...(required.length > 0 && { required }),
    // Without any, there would be no page.
    properties: properties.length > 0 ? Object.fromEntries(properties) : { value: {} },
  };
}

/** The types that the generator knows. */
const types = ["string", "integer", "number", "boolean", "array", "object"];

/** A property's schema, without the parts that the generator has no exact type for. */
function fieldView(schema: Json, models: ModelNames): Json {
  const { $ref, items, additionalProperties } = schema;
  if (typeof $ref === "string") {
    const model = modelAt($ref, models);
    return model === undefined ? {} : { $ref: `#/components/schemas/${model}` };
  }
  const given = [schema["type"]].flat().map(String);
  const type = given.find((each) => types.includes(each));
  return {
    description: prose(schema["description"]),
    type,
    deprecated: schema["deprecated"] === true,
    nullable: schema["nullable"] === true || given.includes("null"),
    readOnly: schema["readOnly"] === true,
    // Its constant is our own, and the name of its type is the same whatever it holds.
    ...(enumOf(schema) && { type: "string", enum: ["x"] }),
    ...(type === "array" && { items: fieldView(asObject(items), models) }),
    ...(isObject(additionalProperties) && { additionalProperties: fieldView(additionalProperties, models) }),
  };
}
