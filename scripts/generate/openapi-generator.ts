import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { UserError, root } from "../cli.js";
import { type OpenApi, asObject, schemasOf } from "../spec/json.js";
import { operationsOf } from "../spec/operations.js";
import type { ModelNames } from "./docs.js";
import { formatted, readTree } from "./files.js";
import { ensureJar, type GeneratorConfig, startJar } from "./jar.js";
import { rewrite } from "./rewrite.js";
import { exampleCall } from "./sample.js";
import { generatorView } from "./view.js";

/** The output of openapi-generator. */
export interface Generated {
  /** The module of the models, as it comes. */
  models: string;
  /** The pages of the reference, by their path. */
  docs: Map<string, string>;
}

/**
 * Starts openapi-generator in a scratch folder; takes the wanted files from there when it has finished.
 *
 * @param names the name of each schema's model
 */
export async function startGenerator(
  spec: OpenApi,
  names: ModelNames,
  config: GeneratorConfig,
): Promise<{ finished: Promise<Generated> }> {
  const jar = await ensureJar(config);
  const view = generatorView(spec, names, await examples(spec));
  const { templateDir, ...settings } = config.generators["models-and-docs"] ?? {};
  const own = {
    // The models have their names already.
    modelNameSuffix: "",
    nameMappings: identifiersIn(view),
    templateDir: resolve(root, String(templateDir)),
  };
  const scratch = await mkdtemp(join(tmpdir(), "cybrid-generate-"));
  const input = join(scratch, "spec.json");
  const output = join(scratch, "out");
  const configPath = join(scratch, "config.json");
  await writeFile(input, JSON.stringify(view));
  await writeFile(configPath, JSON.stringify({ ...settings, ...own }));
  const generator = await startJar(jar, ["generate", "-c", configPath, "-i", input, "-o", output]);
  const finished = generator.finished
    .then(() => collect(spec, names, output))
    .finally(() => rm(scratch, { recursive: true, force: true }));
  // It may fail before anybody waits for it.
  finished.catch(() => {});
  return { finished };
}

/** The properties that are to keep their names, which the generator would change if they are words of TypeScript. */
function identifiersIn(view: OpenApi): Record<string, string> {
  const names = Object.values(schemasOf(view)).flatMap((schema) =>
    Object.keys(asObject(asObject(schema)["properties"])),
  );
  return Object.fromEntries(names.map((name) => [name, name]));
}

/** @throws {UserError} if something is missing: the generator ends with status 0 whatever it leaves out */
async function collect(spec: OpenApi, names: ModelNames, output: string): Promise<Generated> {
  const found = await readTree(output);
  const docs = new Map([...found].filter(([path]) => /^docs\/.*\.md$/.test(path)));
  const missing = [...names.values()].find((name) => !docs.has(`docs/${name}.md`));
  const hasPaths = Object.keys(asObject(spec["paths"])).length > 0;
  if (missing !== undefined || (hasPaths && docs.size === names.size))
    throw new UserError(
      `openapi-generator made no page of ${missing ?? "the operations"}: if it mistakes the name for one of its own types, change modelNameSuffix in openapitools.json`,
    );
  return { models: found.get("models/index.ts") ?? "", docs };
}

/** An example of each operation, by its route: one written by hand, or a call of the openapi-fetch client. */
async function examples(spec: OpenApi): Promise<Map<string, string>> {
  const folder = join(root, "scripts", "examples");
  const written = new Set(await readdir(folder));
  const found = new Map<string, string>();
  // A sample has the type that openapi-typescript gives it.
  const typed = rewrite(spec);
  for (const operation of operationsOf(typed)) {
    const file = `${operation.name}.ts`;
    const text = written.has(file)
      ? await readFile(join(folder, file), "utf8")
      : await formatted("example.ts", exampleCall(typed, operation));
    found.set(operation.route, text);
  }
  return found;
}
