import { type Place, type Tell, quote } from "./findings.js";
import { type Json, list, object } from "../spec/json.js";
import { tellRest } from "./texts.js";

interface Server {
  /** Without a slash at its end, with each variable's default in its place. */
  url: string;
  environment: string | undefined;
  node: Json;
}

/** Compares the hosts that callers send to: callers name them by their environment. */
export function compareServers(tell: Tell, place: Place, before: unknown, after: unknown): void {
  const [was, is] = [serversOf(before), serversOf(after)];
  const left = new Set(is);
  for (const old of was) {
    const now = is.find((one) => isNamedAlike(one, old)) ?? is.find(({ url }) => url === old.url);
    if (now === undefined) {
      tell("major", place, `${kind(old)} removed: ${quote(old.url)}`);
      continue;
    }
    left.delete(now);
    if (now.url !== old.url) tell("major", place, `${kind(old)} moved from ${quote(old.url)} to ${quote(now.url)}`);
    if (now.environment !== old.environment)
      tell(old.environment === undefined ? "minor" : "major", place, `${kind(old)} is now ${kind(now)}`);
    tellRest(tell, { ...place, path: old.url }, old.node, now.node, ["url", "x-environment"]);
  }
  for (const now of left) tell("minor", place, `${kind(now)} added: ${quote(now.url)}`);
}

function isNamedAlike({ environment }: Server, other: Server): boolean {
  return environment !== undefined && environment === other.environment;
}

function kind({ environment }: Server): string {
  return environment === undefined ? "server" : `environment ${quote(environment)}`;
}

function serversOf(value: unknown): Server[] {
  // OpenAPI: no servers means one, "/".
  const nodes = list(value).map(object);
  return (nodes.length > 0 ? nodes : [{ url: "/" }]).map((node: Json) => {
    const environment = node["x-environment"];
    const url = String(node["url"]).replace(/\{([^{}]*)\}/g, (whole, name: string) => {
      const byDefault = object(object(node["variables"])[name])["default"];
      return typeof byDefault === "string" ? byDefault : whole;
    });
    return {
      url: url.replace(/(?<=.)\/$/, ""),
      environment: typeof environment === "string" ? environment : undefined,
      node,
    };
  });
}
