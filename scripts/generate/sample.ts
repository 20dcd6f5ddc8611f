import { type Json, type OpenApi, follow, list, object, objects } from "../spec/json.js";
import { type Operation, parametersOf } from "../spec/operations.js";
import { literal } from "./text.js";

/** A value that a schema allows, for an example; the shortest where there is a choice, and cut off where it is long. */
export function sample(spec: OpenApi, value: unknown, budget = { values: 100 }): unknown {
  if (--budget.values < 0) return {};
  const schema = follow(spec, value);
  const below = (part: unknown): unknown => sample(spec, part, budget);
  if ("const" in schema) return schema["const"];
  const values = list(schema["enum"]);
  if (values.length > 0) return values[0];
  const variants = [...list(schema["oneOf"]), ...list(schema["anyOf"])];
  if (variants.length > 0) return below(variants[0]);
  if (Array.isArray(schema["allOf"])) return Object.assign({}, ...schema["allOf"].map(below));
  switch ([schema["type"]].flat()[0]) {
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
      const properties = object(schema["properties"]);
      return Object.fromEntries(list(schema["required"]).map((name) => [name, below(properties[String(name)])]));
    }
  }
}

/** A call of the openapi-fetch client, as TypeScript. */
export function exampleCall(spec: OpenApi, operation: Operation): string {
  const { path, method, fields } = operation;
  const params: Record<string, Json> = {};
  for (const { name, in: location, required, schema } of parametersOf(spec, operation)) {
    if (required !== true || typeof name !== "string" || typeof location !== "string") continue;
    params[location] = { ...params[location], [name]: sample(spec, schema) };
  }
  const media = object(object(follow(spec, fields["requestBody"])["content"])["application/json"]);
  const init = {
    ...(Object.keys(params).length > 0 && { params }),
    ...("schema" in media && { body: sample(spec, media["schema"]) }),
  };
  const argument = Object.keys(init).length > 0 ? `, ${literal(init)}` : "";
  const scopes = objects(fields["security"]).flatMap((requirement) => Object.values(requirement).flat());
  return `import { clientCredentials, createCustomerTokensClient } from "cybrid-customer-tokens";

const cybrid = createCustomerTokensClient({
  auth: clientCredentials({ clientId: "…", clientSecret: "…", scopes: ${literal([...new Set(scopes)])} }),
});

const { data, error, response } = await cybrid.api.${method.toUpperCase()}(${literal(path)}${argument});
`;
}
