import { Ajv, type ValidateFunction } from "ajv";
import { spec } from "../../generated/emulator/spec.js";
import { isObject } from "../validate.js";

// The build replaces this module with its result, so that an installed emulator generates no code and contains no generator.

type Operation = { operationId?: string; requestBody?: { $ref?: string } } | undefined;

/** The operations of the description, and the place of the schema of their JSON body. */
export const described = Object.entries(spec.paths as object).flatMap(([path, item]) =>
  Object.entries(item as Record<string, Operation>).flatMap(([method, operation]) => {
    const { operationId, requestBody } = operation ?? {};
    if (operationId === undefined) return [];
    const pointer = `#/paths/${encodeURIComponent(path.replaceAll("~", "~0").replaceAll("/", "~1"))}/${method}/requestBody`;
    const schema = `spec${requestBody?.$ref ?? pointer}/content/application~1json/schema`;
    return [{ path, method: method.toUpperCase(), operationId, schema }];
  }),
);

/** Writes the keywords of OpenAPI 3.0 as JSON Schema does. Ajv knows the rest, `nullable` too. */
function toJsonSchema(_: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  const { minimum, exclusiveMinimum, maximum, exclusiveMaximum, nullable, type } = value;
  if (typeof exclusiveMinimum === "boolean") value["exclusiveMinimum"] = exclusiveMinimum ? minimum : undefined;
  if (typeof exclusiveMaximum === "boolean") value["exclusiveMaximum"] = exclusiveMaximum ? maximum : undefined;
  // Without a type it has no effect (OpenAPI 3.0.3), and Ajv refuses it.
  if (typeof nullable === "boolean" && type === undefined) delete value["nullable"];
  return value;
}

export const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, code: { source: true } });
ajv.addSchema({ ...(JSON.parse(JSON.stringify(spec), toJsonSchema) as object), $id: "spec" });

/** Checks of JSON bodies, by operationId. */
export const bodyChecks = Object.fromEntries(
  described.map(({ operationId, schema }) => [operationId, ajv.getSchema(schema)]),
) as Readonly<Record<string, ValidateFunction | undefined>>;
