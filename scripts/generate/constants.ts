import { type Json, type OpenApi, entries, asArray, asObject, objectsIn, schemasOf } from "../spec/json.js";
import { literal } from "./text.js";

/** The values of an enum of strings or of numbers, by the keys of their constant. */
type Enum = Record<string, string | number>;

/** A constant that belongs to a model, such as the values of an enum. */
export interface Constant {
  /** Its name after the model's. */
  name: string;
  /** The property that it is about; undefined if it is about the whole schema. */
  property?: string;
  /** The values of an enum by their keys. */
  values?: Enum;
}

/** The properties that a schema describes itself: its own, and those of the parts of its `allOf` that are not references. */
function fieldsOf(schema: Json): Map<string, Json> {
  const parts = objectsIn(schema["allOf"]).filter((part) => !("$ref" in part));
  const own = entries(schema["properties"]).map(([name, field]) => [name, asObject(field)] as const);
  return new Map([...parts.flatMap((part) => [...fieldsOf(part)]), ...own]);
}

/** The enum of strings or of numbers that a schema is. */
export function enumOf(schema: Json): Enum | undefined {
  const values = [...new Set(asArray(schema["enum"]).filter((value) => value !== null))];
  const isOf = (type: string): boolean => values.every((value) => typeof value === type);
  if (values.length === 0 || !(isOf("string") || isOf("number"))) return undefined;
  const keys = enumKeys(values);
  return Object.fromEntries((values as (string | number)[]).map((value, index) => [keys[index] ?? "", value]));
}

/** The enums of a schema's properties, also within arrays. */
export function fieldEnumsOf(schema: Json): (Constant & { values: Enum })[] {
  const fields = [...fieldsOf(schema)];
  const names = enumKeys(fields.map(([name]) => name));
  return fields.flatMap(([property, field], index) => {
    let inner = field;
    while (inner["type"] === "array") inner = asObject(inner["items"]);
    const values = enumOf(inner);
    return values ? [{ name: `${names[index]}Enum`, property, values }] : [];
  });
}

/**
 * The keys of an enum's constant: each value's words in PascalCase, `counterparties:pii:read` → `CounterpartiesPiiRead`,
 * `-1` → `Minus1`, and a number after the second of two that would be equal. A value that is used twice has one key.
 */
export function enumKeys(values: readonly unknown[]): string[] {
  const keys = new Map<unknown, string>();
  const taken = new Set<string>();
  return values.map((value) => {
    const known = keys.get(value);
    if (known !== undefined) return known;
    const text = String(value)
      .replace(/^-(?=\d)/, "minus ")
      .replace(/(?<=\d)\.(?=\d)/g, " point ");
    const words = text.match(/[A-Za-z0-9]+/g) ?? [text === "" ? "Empty" : "Value"];
    const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
    const base = /^\d/.test(joined) ? `_${joined}` : joined;
    let key = base;
    for (let count = 2; taken.has(key); count++) key = `${base}${count}`;
    taken.add(key);
    keys.set(value, key);
    return key;
  });
}

/** Keywords that local validation needs (JSON Schema validation, section 6). */
const constraintKeywords =
  "minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems uniqueItems".split(
    " ",
  );

/** The constraints of a schema's properties, by their names; without properties that have none. */
function constrained(schema: Json): (readonly [name: string, constraints: Json])[] {
  return [...fieldsOf(schema)].flatMap(([name, field]) => {
    const found = constraintKeywords.filter((keyword) => (field[keyword] ?? false) !== false);
    const constraints = Object.fromEntries(found.map((keyword) => [keyword, field[keyword]]));
    return found.length > 0 ? [[name, constraints] as const] : [];
  });
}

/** An enum as TypeScript: its constant, and the type of its values. */
export function enumText(name: string, values: Enum): string {
  return `export const ${name} = ${literal(values)} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
}

/** The constant of a model's constraints as TypeScript; empty if there are none. */
export function constraintsText(model: string, schema: Json): string {
  const constraints = constrained(schema);
  if (constraints.length === 0) return "";
  return `/** What the description demands of the properties (JSON Schema validation), for checks before a request is sent. */
export const ${model}Constraints = ${literal(Object.fromEntries(constraints))} as const;`;
}

/** The constants of a schema's model, which callers can name; and its properties, if it has any. */
export function constantsOf(spec: OpenApi, schemaName: string): { constants: Constant[]; properties?: string[] } {
  const schema = asObject(schemasOf(spec)[schemaName]);
  const properties = [...fieldsOf(schema).keys()];
  const limits = constrained(schema).map(([property]) => ({ name: `Constraints.${property}`, property }));
  const values = enumOf(schema);
  const own = values ? [{ name: "", values }] : [];
  const constants = [...own, ...fieldEnumsOf(schema), ...limits];
  return properties.length > 0 ? { constants, properties } : { constants };
}
