import { UserError } from "../cli.js";
import { isObject, asArray } from "../spec/json.js";
import { parseYaml } from "../spec/parse.js";

/** The content of `openapi/source.json`. */
export interface Config {
  /** Where upstream publishes its whole description. */
  url: string;
  /** The operations to keep: an operationId each, or a method with its path, such as "POST /v1/things". */
  operationIds: string[];
  /** The name of the description that is written. It is in the folder of this file. Default: customer-tokens.yaml */
  file?: string;
  /** Upstream's version that was pulled last. */
  version: string | null;
  /** The SHA-256 of the description that was pulled last, as lower-case hexadecimal; null if it was written by hand. */
  sha256: string | null;
}

const defaultFile = "customer-tokens.yaml";

/** Parses a config; `name` is used in error messages. Throws {@link UserError}. */
export function parseConfig(text: string, name: string): Config {
  const config = parseYaml(text, name);
  if (!isObject(config)) throw new UserError(`${name} must be a JSON object`);
  const { url, operationIds, file, version = null, sha256 = null } = config;
  const isText = (value: unknown) => typeof value === "string";
  if (!isText(url)) throw new UserError(`${name}: "url" must be a string`);
  const ids = asArray(operationIds);
  if (ids.length === 0 || !ids.every(isText) || new Set(ids).size < ids.length)
    throw new UserError(`${name}: "operationIds" must be a list of at least one operation, each named once`);
  if (file !== undefined && !/^[\w-][\w.-]*\.ya?ml$/.test(String(file)))
    throw new UserError(`${name}: "file" must be the name of a YAML file, such as ${defaultFile}`);
  for (const [key, value] of Object.entries({ version, sha256 }))
    if (value !== null && !isText(value)) throw new UserError(`${name}: "${key}" must be a string or null`);
  return { url, operationIds, ...(file !== undefined && { file }), version, sha256 } as Config;
}

/** The name of the description that belongs to a config. */
export function fileOf({ file = defaultFile }: Config): string {
  return file;
}
