import { type OpenApi, asObject, objectsIn } from "../spec/json.js";
import { type ModelNames, linksToModels } from "./docs.js";
import { formatted, header } from "./files.js";
import { chooseModels } from "./models.js";
import type { Generated } from "./openapi-generator.js";
import { typedPaths } from "./typed-paths.js";

/**
 * Every generated file as it is written, by its path; and the models whose types are openapi-typescript's.
 *
 * @param names the name of each schema's model
 * @param paths openapi-typescript's module
 */
export async function assemble(
  spec: OpenApi,
  names: ModelNames,
  paths: string,
  generated: Generated,
): Promise<{ files: Map<string, string>; replaced: string[] }> {
  const pages = new Map(generated.docs);
  const models: string[] = [];
  // Like openapi-generator's, models do not distinguish requests from responses.
  const plain = paths.startsWith("export type $Read<") ? await typedPaths(spec, { isMarked: false }) : paths;
  const chosen = chooseModels(spec, generated.models, plain, names);
  for (const { name, text } of chosen) {
    const model = await formatted("models/index.ts", text);
    models.push(model);
    const path = `docs/${name}.md`;
    pages.set(path, `${pages.get(path)}\n${fenced(model)}\n\n${linksToModels(model, name, names)}`);
  }
  const replaced = chosen.filter(({ isReplaced }) => isReplaced).map(({ name }) => name);
  const files = new Map<string, string>();
  for (const [path, text] of pages) files.set(path, await formatted(path, text));
  const modules = {
    "paths.ts": paths,
    "environments.ts": environments(spec),
    "emulator/spec.ts": specAsData(spec),
  };
  for (const [path, text] of Object.entries(modules)) files.set(path, header + (await formatted(path, text)));
  files.set("models/index.ts", header + (models.join("\n") || "export {};\n"));
  return { files, replaced };
}

/** Code as a block of Markdown; its fence is longer than any in it. */
function fenced(text: string): string {
  const fence = "`".repeat(Math.max(3, ...(text.match(/`+/g) ?? []).map(({ length }) => length + 1)));
  return `${fence}ts\n${text.trim()}\n${fence}`;
}

/** The servers that the spec names environments. */
export function environments(spec: OpenApi): string {
  const servers = objectsIn(spec["servers"]);
  // Paths are put after it, and begin with a slash.
  const named = servers.flatMap(({ "x-environment": name, url }) =>
    typeof name === "string" ? [[name, String(url).replace(/\/+$/, "")] as const] : [],
  );
  return `/** The servers of the spec, by the name of their environment. */
export const environments = ${JSON.stringify(Object.fromEntries(named))} as const;`;
}

/** The spec without upstream's version, which must change nothing that is generated. */
export function specAsData(spec: OpenApi): string {
  const info = { ...asObject(spec["info"]), version: "1" };
  return `/** The spec as data, for the emulator. */
export const spec = ${JSON.stringify({ ...spec, info })} as const;`;
}
