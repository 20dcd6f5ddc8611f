import {
  type Json,
  type OpenApi,
  entries,
  follow,
  isObject,
  asArray,
  mappedRef,
  asObject,
  objectsIn,
  schemasOf,
  steps,
} from "../spec/json.js";
import { walk } from "../spec/walk.js";

/**
 * Writes into each variant of a discriminator the values that identify it. Unless `isExact`, removes the discriminators, and
 * keeps only texts, `default` and read/write marks of the variant's own definition of the property.
 */
export function narrow(spec: OpenApi, isExact = false): void {
  const schemas = schemasOf(spec);
  const refTo = (name: string): string => `#/components/schemas/${name}`;
  const children = new Map<string, string[]>();
  for (const [name, schema] of Object.entries(schemas))
    for (const { $ref } of objectsIn(asObject(schema)["allOf"]))
      children.set(String($ref), [...(children.get(String($ref)) ?? []), refTo(name)]);
  /** The schemas that are made of one, directly or not. */
  const below = (ref: string): Set<string> => {
    const found = new Set(children.get(ref));
    for (const each of found) for (const child of children.get(each) ?? []) found.add(child);
    return found;
  };
  /** By property and variant. */
  const mapped = new Map<string, Map<string, Set<string>>>();
  const implied = new Map<string, Map<string, Set<string>>>();
  const add = (to: typeof mapped, property: string, ref: string, value: string): void => {
    const variants = to.get(property) ?? new Map<string, Set<string>>();
    to.set(property, variants.set(ref, (variants.get(ref) ?? new Set()).add(value)));
  };
  /** The properties and variants of which other values are possible, too. */
  const open = new Set<string>();
  walk(spec, ({ value, path, kind }) => {
    if (kind !== "schema" || !isObject(value) || !isObject(value["discriminator"])) return;
    const { propertyName, mapping, defaultMapping } = value["discriminator"];
    if (!isExact) delete value["discriminator"];
    const property = String(propertyName);
    if (typeof defaultMapping === "string") open.add(`${property} ${mappedRef(defaultMapping)}`);
    for (const [name, ref] of Object.entries(asObject(mapping))) add(mapped, property, mappedRef(String(ref)), name);
    const union = [...objectsIn(value["oneOf"]), ...objectsIn(value["anyOf"])].flatMap(({ $ref }) => $ref ?? []);
    const own = path.length === 3 && path[1] === "schemas" ? refTo(String(path[2])) : undefined;
    for (const ref of union.length > 0 || own === undefined ? (union as string[]) : below(own))
      add(implied, property, ref, String(steps(ref).at(-1)));
  });
  for (const property of new Set([...mapped.keys(), ...implied.keys()])) {
    const all = new Map([...(implied.get(property) ?? []), ...(mapped.get(property) ?? [])]);
    const valuesByRef = new Map(
      [...all].map(([ref, values]) => {
        // A variant of a variant counts as that variant, too.
        const more = [...below(ref)].flatMap((other) => [...(all.get(other) ?? [])]);
        return [ref, new Set([...values, ...more])];
      }),
    );
    for (const [ref, values] of valuesByRef)
      if (!open.has(`${property} ${ref}`)) pin(spec, follow(spec, { $ref: ref }), property, values, isExact);
  }
}

/** Keywords that do not limit a property's values. */
const ofTheProperty = new Set("title description deprecated default readOnly writeOnly".split(" "));

/** Lets an object's property have only these values, unless the object itself says something else. */
function pin(spec: OpenApi, schema: Json, property: string, values: ReadonlySet<string>, isExact: boolean): void {
  const found = definitionsOf(spec, schema, property);
  const lists = found.map((each) => ("const" in each ? [each["const"]] : each["enum"])).filter(Array.isArray);
  const allowed = lists.reduce<unknown[]>(
    (rest, each) => rest.filter((value) => each.some((other) => String(other) === String(value))),
    (lists[0] as unknown[] | undefined)?.filter((value) => values.has(String(value))) ?? [...values],
  );
  const fits = (value: unknown): boolean => found.every(({ type }) => isOfType(value, type));
  const fitting = allowed.map((value) => (fits(value) ? value : asScalar(value))).filter(fits);
  if (fitting.length === 0) return;
  const isObjectLike = schema["type"] === "object" || isObject(schema["properties"]);
  const pinned = { type: typeof fitting[0], enum: fitting };
  if (Array.isArray(schema["allOf"]))
    schema["allOf"].push({ type: "object", required: [property], properties: { [property]: pinned } });
  else if (isObjectLike) {
    const own = asObject(asObject(schema["properties"])[property]);
    const words = Object.fromEntries(entries(own).filter(([keyword]) => ofTheProperty.has(keyword)));
    const definition = isExact ? { allOf: [own, pinned] } : { ...words, ...pinned };
    schema["properties"] = { ...asObject(schema["properties"]), [property]: definition };
    schema["required"] = [...new Set([...asArray(schema["required"]), property])];
  }
}

/** The number or boolean that a mapping writes as text. */
function asScalar(text: unknown): unknown {
  return [true, false, Number(text)].find((value) => String(value) === text);
}

function isOfType(value: unknown, type: unknown): boolean {
  const name = typeof value;
  return type === undefined || [type].flat().some((one) => one === name || (one === "integer" && name === "number"));
}

/** The definitions of a property in an object and the parts of its `allOf`. */
function definitionsOf(spec: OpenApi, value: Json, property: string, visited = new Set<Json>()): Json[] {
  const schema = follow(spec, value);
  if (visited.has(schema)) return [];
  visited.add(schema);
  const own = asObject(schema["properties"])[property];
  const below = objectsIn(schema["allOf"]).flatMap((part) => definitionsOf(spec, part, property, visited));
  return own === undefined ? below : [follow(spec, own), ...below];
}
