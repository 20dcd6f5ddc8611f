import { componentOf, escapeStep, getIn, asObject, resolve, steps, type Json, type OpenApi } from "./json.js";
import { hash, usableName } from "./names.js";
import { type Entry, type Kind, fieldsOf, refOf, walk } from "./walk.js";

/**
 * A copy of parts of a description, with the components that they refer to, directly or through others. The target of a
 * reference to another place of the description becomes a component.
 *
 * @param visit sees each value of the copy first, and may change it; if it returns false, nothing below is visited
 */
export function withComponents(spec: OpenApi, parts: OpenApi, visit: (entry: Entry) => boolean = () => true): OpenApi {
  const whole = asObject(spec["components"]);
  const nameOf = componentNames(whole);
  const { components, ...rest } = parts;
  const copy = structuredClone(rest) as OpenApi;
  const kept: Record<string, Json> = {};
  const queue: Json[] = [copy];
  const need = (kind: string, name: string, value: unknown): void => {
    if (value === undefined || Object.hasOwn(asObject(kept[kind]), name)) return;
    const component = { [name]: structuredClone(value) };
    Object.assign((kept[kind] ??= {}), component);
    queue.push({ components: { [kind]: component } });
  };
  for (const [kind, all] of Object.entries(asObject(components)))
    for (const [name, value] of Object.entries(asObject(all))) need(kind, name, value);
  for (const part of queue)
    walk(part, (entry) => {
      if (!visit(entry)) return false;
      const { parent, key, kind, holder } = entry;
      if (holder === "scope[]{}") {
        const scheme = String(key);
        need("securitySchemes", scheme, getIn(whole, ["securitySchemes", scheme]));
      }
      const ref = kind === "data" ? undefined : refOf({ ...entry, value: (parent as Json)[key] });
      const target = ref?.startsWith("#/") === true ? resolve(spec, ref) : undefined;
      if (ref === undefined || target === undefined) return true;
      const [ofKind, name] = nameOf(ref, (kind === "ref" && componentKinds.get(holder)) || "schemas");
      need(ofKind, name, target);
      (parent as Json)[key] = `#/components/${ofKind}/${escapeStep(name)}`;
      return true;
    });
  if (Object.keys(kept).length === 0) return copy;
  const kinds = Object.entries(kept).map(([kind, all]) => [kind, inOrderOf(whole[kind], all)]);
  return { ...copy, components: inOrderOf(whole, Object.fromEntries(kinds) as Json) };
}

/** Members in the order that they have in another object, then those that are new. */
function inOrderOf(other: unknown, members: Json): Json {
  const all = Object.entries({ ...asObject(other), ...members });
  return Object.fromEntries(all.filter(([key]) => Object.hasOwn(members, key)));
}

/** Names for the targets of references: a component's own one, or a new one for a value that is not a component. */
function componentNames(components: Json): (ref: string, kind: string) => [kind: string, name: string] {
  // Two names that differ in case alone are one to a file system.
  const keyOf = (kind: string, name: string): string => `${kind} ${name.toLowerCase()}`;
  const all = Object.entries(components).flatMap(([kind, ofKind]) =>
    Object.keys(asObject(ofKind)).map((name) => keyOf(kind, name)),
  );
  /** The reference that has a name; "" for a component's own name. */
  const owners = new Map(all.map((key) => [key, ""]));
  return (ref, kind) => {
    const way = steps(ref);
    const component = componentOf(ref);
    if (component !== undefined && way.length === 3) return component;
    const name = usableName(way.filter((step) => !structure.has(step)).join("_"));
    const owner = owners.get(keyOf(kind, name)) ?? ref;
    owners.set(keyOf(kind, name), owner);
    return [kind, owner === ref ? name : `${name}_${hash(ref)}`];
  };
}

/** Steps of a reference that do not describe its target. */
const structure = new Set(
  "components schemas paths responses parameters properties definitions $defs content schema".split(" "),
);

/** The kind of component that holds objects of a type. */
const componentKinds = new Map<Kind, string>(
  [...fieldsOf("components")].map(([name, kind]) => [kind.slice(0, -2) as Kind, name]),
);
