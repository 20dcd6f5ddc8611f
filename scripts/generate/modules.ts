import { type OpenApi, isObject } from "../spec/json.js";
import { formatted } from "./files.js";
import { chooseModels } from "./models.js";
import type { Generated } from "./openapi-generator.js";
import { objects } from "./text.js";

/**
 * Every generated file as it is written, by its path; and the models that are aliases.
 *
 * @param names the name of each schema's model
 * @param paths openapi-typescript's module
 */
export async function putTogether(
  spec: OpenApi,
  names: ReadonlyMap<string, string>,
  paths: string,
  generated: Generated,
): Promise<{ files: Map<string, string>; aliases: string[] }> {
  const { text: models, aliases } = chooseModels(spec, generated.models, paths, names);
  const texts = [
    ...generated.docs,
    ["paths.ts", paths],
    ["models/index.ts", models],
    ["environments.ts", environments(spec)],
    ["emulator/spec.ts", specAsData(spec)],
  ] as const;
  const files = new Map<string, string>();
  for (const [path, text] of texts) files.set(path, await formatted(path, text));
  return { files, aliases };
}

/** The servers that the spec names environments. */
export function environments(spec: OpenApi): string {
  const servers = objects(spec["servers"]);
  // Paths are put behind it, and begin with a slash of their own.
  const named = servers.flatMap(({ "x-environment": name, url }) =>
    typeof name === "string" ? [[name, String(url).replace(/\/+$/, "")] as const] : [],
  );
  return `/** The servers of the spec, by the name of their environment. */
export const environments = ${JSON.stringify(Object.fromEntries(named))} as const;`;
}

/** The spec without upstream's version, which must change nothing that is generated. */
export function specAsData(spec: OpenApi): string {
  const info = { ...(isObject(spec["info"]) ? spec["info"] : {}), version: "1" };
  return `/** The spec, for what speaks it. */
export const spec = ${JSON.stringify({ ...spec, info })} as const;`;
}
