import { type Json, type Path, mappedRef } from "./json.js";

/**
 * What the keys of an object are: fields that the specification knows, or names that the description's author chose.
 * Below "data" nothing is interpreted.
 */
export type Kind = "fields" | "names" | "data";

const names = new Set(
  `paths webhooks schemas responses parameters examples requestBodies headers securitySchemes links pathItems content
  encoding variables mapping scopes properties patternProperties dependentSchemas $defs definitions`.split(/\s+/),
);
const data = new Set("example default enum const value security".split(" "));

/** One value of a description, with the container that it stands in. */
export interface Entry {
  /** The container: an object or array. */
  parent: Json | unknown[];
  /** The last step of `path`. */
  key: string | number;
  value: unknown;
  path: Path;
  /** The kind of the container's keys; an array has that of the object around it. */
  kind: Kind;
}

/** Visits every value below `root`, containers before what they hold. A visitor that returns false ends the descent. */
export function walk(root: Json, visitor: (entry: Entry) => boolean | void): void {
  const path: (string | number)[] = [];
  const descend = (parent: Json | unknown[], kind: Kind | "namesOfNames"): void => {
    for (const [name, value] of Object.entries(parent)) {
      const key = Array.isArray(parent) ? Number(name) : name;
      path.push(key);
      const shown = kind === "namesOfNames" ? "names" : kind;
      const goOn = visitor({ parent, key, value, path, kind: shown }) !== false;
      if (goOn && typeof value === "object" && value !== null)
        descend(value as Json | unknown[], kindBelow(kind, key, value));
      path.pop();
    }
  };
  descend(root, "fields");
}

function kindBelow(kind: Kind | "namesOfNames", key: string | number, value: object): Kind | "namesOfNames" {
  if (kind === "data") return "data";
  if (kind === "namesOfNames") return "names";
  if (kind === "names" || typeof key === "number") return "fields";
  if (key === "callbacks") return "namesOfNames";
  if (data.has(key) || key.startsWith("x-")) return "data";
  if (!names.has(key)) return "fields";
  // `parameters` of an operation and `examples` of an OpenAPI 3.1 schema are lists.
  if (Array.isArray(value)) return key === "examples" ? "data" : "fields";
  return "names";
}

/** Whether a string with this key is a reference. */
export function isRefKey(key: string | number): boolean {
  return key === "$ref" || key === "$dynamicRef" || key === "$recursiveRef";
}

/** The reference that an entry holds: a `$ref` or a discriminator's mapping. */
export function refOf({ key, value, path, kind }: Entry): string | undefined {
  if (typeof value !== "string") return undefined;
  // In data too: some tools follow what looks like a reference there.
  if (isRefKey(key)) return value;
  return kind === "names" && path.at(-2) === "mapping" ? mappedRef(value) : undefined;
}
