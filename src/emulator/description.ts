import { Ajv, type ValidateFunction } from "ajv";
import { spec } from "../../generated/emulator/spec.js";

// The build replaces this module with its outcome: an installed emulator makes no code, and does not carry what makes it.

type Operation = { operationId?: string; requestBody?: { $ref?: string } } | undefined;

/** The operations of the description, and where the schema of their JSON body is. */
export const described = Object.entries(spec.paths as object).flatMap(([path, item]) =>
  Object.entries(item as Record<string, Operation>).flatMap(([method, operation]) => {
    const { operationId, requestBody } = operation ?? {};
    if (operationId === undefined) return [];
    const pointer = `#/paths/${encodeURIComponent(path.replaceAll("~", "~0").replaceAll("/", "~1"))}/${method}/requestBody`;
    const schema = `spec${requestBody?.$ref ?? pointer}/content/application~1json/schema`;
    return [{ path, method: method.toUpperCase(), operationId, schema }];
  }),
);

// The description's keywords mean the same in JSON Schema, except for `nullable`, which Ajv knows.
export const ajv = new Ajv({ strict: false, validateFormats: false, code: { source: true } });
ajv.addSchema({ ...spec, $id: "spec" });

/** Checks of JSON bodies, by operationId. */
export const bodyChecks = Object.fromEntries(
  described.map(({ operationId, schema }) => [operationId, ajv.getSchema(schema)]),
) as Readonly<Record<string, ValidateFunction | undefined>>;
