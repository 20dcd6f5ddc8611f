import { type Json, type OpenApi, entries, follow, isObject, asArray, asObject } from "./json.js";
import { fieldsOf } from "./walk.js";

/** The methods that a path can have as fields. */
export const methods = [...fieldsOf("pathItem")].flatMap(([method, kind]) => (kind === "operation" ? [method] : []));

/** An operation, and the path that it belongs to. */
export interface Operation {
  path: string;
  method: string;
  /** Method and path, as in "POST /v1/things". */
  route: string;
  /** Its operationId, or its route if it has none. */
  name: string;
  /** The value at the path: its operations, and the fields that they share. */
  item: Json;
  fields: Json;
}

/** The operations of a description. */
export function operationsOf(spec: OpenApi): Operation[] {
  return entries(spec["paths"]).flatMap(([path, given]) => {
    // A path may be a reference to another one, with more fields.
    const item = { ...follow(spec, given), ...asObject(given) };
    const others = entries(item["additionalOperations"]);
    const all = [...methods.map((method) => [method, item[method]] as const), ...others];
    return all
      .filter(([, fields]) => isObject(fields))
      .map(([method, operation]) => {
        const fields = asObject(operation);
        const route = `${method.toUpperCase()} ${path}`;
        const { operationId: id } = fields;
        return { path, method, route, name: typeof id === "string" ? id : route, item, fields };
      });
  });
}

/** The parameters of an operation, with those of its path. Those in the path are required, even if none says so. */
export function parametersOf(spec: OpenApi, { item, fields }: Pick<Operation, "item" | "fields">): Json[] {
  const given = [item, fields].flatMap(({ parameters }) => asArray(parameters)).map((each) => follow(spec, each));
  const all = given.map((each) => (each["in"] === "path" ? { ...each, required: true } : each));
  // An operation's own parameter replaces its path's.
  return [...new Map(all.map((each) => [`${String(each["in"])} ${String(each["name"])}`, each])).values()];
}
