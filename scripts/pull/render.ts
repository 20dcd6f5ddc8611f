import { Document, visit } from "yaml";
import { prettify } from "../prettify.js";
import type { Json, OpenApi } from "../spec/json.js";
import { hasFields, walk } from "../spec/walk.js";

/** The order in which an object's fields are written; others follow, and extensions come last. */
const order = `
  openapi jsonSchemaDialect $ref info title type format name in url servers tags scheme operationId summary description
  version deprecated parameters nullable readOnly writeOnly required minimum maximum minLength maxLength pattern minItems
  maxItems uniqueItems items properties additionalProperties allOf oneOf anyOf discriminator enum default headers
  requestBody content schema example examples value paths responses components tokenUrl scopes security
`.split(/\s+/);

/** A description as YAML text, as prettier leaves it: equal descriptions give equal bytes, whatever the order of fields. */
export async function render(spec: OpenApi): Promise<string> {
  const copy = structuredClone(spec);
  const objects = new Set<Json>([copy]);
  walk(copy, ({ parent, holder }) => {
    if (hasFields(holder)) objects.add(parent as Json);
  });
  const rank = (key: string): number => {
    if (key.startsWith("x-")) return order.length + 1;
    return order.includes(key) ? order.indexOf(key) : order.length;
  };
  for (const fields of objects) {
    const sorted = Object.entries(fields).sort(([a], [b]) => rank(a) - rank(b));
    for (const [key] of sorted) delete fields[key];
    Object.assign(fields, Object.fromEntries(sorted));
  }
  // openapi-generator reads YAML 1.1, where a bare `no` is a boolean.
  const document = new Document(copy, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  visit(document, {
    Scalar(_, node) {
      // In a block of text prettier moves blanks at the ends of lines.
      if (typeof node.value === "string" && /[ \t](?:\n|$)|^\s|\n\n\n|\n\n$|\r/.test(node.value))
        node.type = "QUOTE_DOUBLE";
    },
  });
  return prettify(document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity }), "yaml");
}
