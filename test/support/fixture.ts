import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { type OpenApi, objectsIn } from "../../scripts/spec/json.js";

/** The hosts of the committed description by the names of their environments: they may move. */
export const hosts = serversOf(await readFile("openapi/customer-tokens.yaml", "utf8"));

/**
 * A description of the present one's kind, for tests that name its parts: what stands in the committed one may change. On
 * the hosts of the committed one, which the overlay names.
 */
export async function fixtureText(): Promise<string> {
  const text = await readFile("test/fixtures/customer-tokens.yaml", "utf8");
  const own = Object.entries(serversOf(text));
  return own.reduce((moved, [name, url]) => moved.replaceAll(url, hosts[name] ?? url), text);
}

function serversOf(text: string): Record<string, string> {
  const servers = objectsIn((parse(text) as OpenApi)["servers"]);
  return Object.fromEntries(servers.map(({ url, "x-environment": name }) => [String(name), String(url)]));
}
