import { openapiOverlay, resolveJsonPath } from "openapi-format";
import { UserError } from "../cli.js";
import { type Json, type OpenApi, isObject, asArray, asObject, printable } from "../spec/json.js";
import { keepPlaces, parseYaml, place } from "../spec/parse.js";
import { readText } from "../spec/read.js";
import { hasFields, walk } from "../spec/walk.js";

/** An OpenAPI Overlay 1.0 document: what is added to a description, in order. */
export interface Overlay {
  name: string;
  version: string;
  actions: Json[];
}

/** Reads the overlay in a file; see {@link parseOverlay}. */
export async function readOverlay(path: string): Promise<Overlay> {
  return parseOverlay(await readText(path), path);
}

/** Parses an overlay, YAML or JSON. `name` is used in error messages. Throws {@link UserError}. */
export function parseOverlay(text: string, name: string): Overlay {
  const overlay = asObject(parseYaml(text, name));
  const { overlay: version, actions = [] } = overlay;
  if (typeof version !== "string" || !/^1\.0\.\d+$/.test(version))
    throw new UserError(`${name} is not an overlay: expected "overlay: 1.0.0"`);
  if (!Array.isArray(actions) || !actions.every(isObject))
    throw new UserError(`${name}: "actions" must be a list of objects`);
  for (const [index, action] of actions.entries()) {
    const where = place(overlay, name, ["actions", index]);
    if (typeof action["target"] !== "string" || !action["target"].startsWith("$"))
      throw new UserError(`${where}: "target" must be a JSONPath that starts with "$"`);
    if (!("update" in action) && action["remove"] !== true)
      throw new UserError(`${where}: expected "update" or "remove: true"`);
  }
  return keepPlaces(overlay, { name, version, actions });
}

/**
 * A copy of a description with an overlay's actions applied. Throws {@link UserError} if an action finds no target: the
 * description has then changed since the overlay was written.
 */
export async function applyOverlay(spec: OpenApi, overlay: Overlay): Promise<OpenApi> {
  let result: OpenApi = structuredClone(spec);
  for (const [index, action] of overlay.actions.entries()) {
    const target = String(action["target"]);
    const refuse = (problem: string): UserError =>
      new UserError(`${place(overlay, overlay.name, ["actions", index])}: ${problem}: ${printable(target)}`);
    // openapi-format then removes the wrong items, since each removal moves those behind it.
    const lists = resolveJsonPath(result, target).flatMap(({ parent }) => (Array.isArray(parent) ? [parent] : []));
    if (action["remove"] === true && new Set(lists).size < lists.length)
      throw refuse("removes several items of one list: use one action per item");
    const { data, resultData } = await openapiOverlay(result, {
      overlaySet: { overlay: overlay.version, actions: [{ ...action, target }] },
    });
    if (resultData["totalUnusedActions"] !== 0) throw refuse("the overlay's target does not exist");
    result = data as OpenApi;
  }
  return keepPlaces(spec, withoutRepetition(result));
}

/** Overlays add to lists. A list that is a set has each item once, also if both sides have it. */
function withoutRepetition(spec: OpenApi): OpenApi {
  const tags = new Map<unknown, unknown>();
  for (const tag of asArray(spec["tags"])) {
    const { name } = asObject(tag);
    tags.set(name, { ...asObject(tags.get(name)), ...asObject(tag) });
  }
  if (tags.size > 0) spec["tags"] = [...tags.values()];
  walk(spec, ({ parent, key, value, kind, holder }) => {
    if (Array.isArray(parent) || !Array.isArray(value)) return;
    const isSet = hasFields(holder) && (key === "required" || key === "enum" || key === "x-message-codes");
    if (isSet || kind === "scope[]") parent[key] = [...new Set<unknown>(value)];
  });
  return spec;
}
