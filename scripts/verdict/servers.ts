import { type Json, asArray, asObject } from "../spec/json.js";
import { type Finding, type Place, quote } from "./findings.js";

interface Server {
  /** Without a slash at its end, with each variable's default in its place. */
  url: string;
  environment: unknown;
  node: Json;
}

/** Compares the hosts that callers send to, by their environments. Secrets go there: each change is to be reviewed. */
export function* compareServers(place: Place, oldServers: unknown, newServers: unknown): Iterable<Finding> {
  const after = serversOf(newServers);
  const left = new Set(after);
  for (const old of serversOf(oldServers)) {
    const isNamedAlike = ({ environment }: Server) => environment !== undefined && environment === old.environment;
    const now = after.find(isNamedAlike) ?? after.find(({ url }) => url === old.url);
    if (now === undefined) {
      yield place.finding("major", `${nameOf(old)} removed: ${quote(old.url)}`, "review");
      continue;
    }
    left.delete(now);
    const [from, to] = [quote(old.url), quote(now.url)];
    if (from !== to) yield place.finding("major", `${nameOf(old)} moved from ${from} to ${to}`, "review");
    const level = old.environment === undefined ? "minor" : "major";
    if (now.environment !== old.environment)
      yield place.finding(level, `${nameOf(old)} is now ${nameOf(now)}`, "review");
    yield* place.below(old.url).rest(old.node, now.node, ["url", "x-environment"]);
  }
  for (const now of left) yield place.finding("minor", `${nameOf(now)} added: ${quote(now.url)}`, "review");
}

function nameOf({ environment }: Server): string {
  return environment === undefined ? "server" : `environment ${quote(environment)}`;
}

function serversOf(value: unknown): Server[] {
  // OpenAPI: no servers means one, "/".
  const nodes = asArray(value).length > 0 ? asArray(value).map(asObject) : [{ url: "/" }];
  return nodes.map((node: Json) => {
    const url = String(node["url"]).replace(/\{([^{}]*)\}/g, (variable, name: string) => {
      const byDefault = asObject(asObject(node["variables"])[name])["default"];
      return typeof byDefault === "string" ? byDefault : variable;
    });
    return { url: url.replace(/(?<=.)\/$/, ""), environment: node["x-environment"], node };
  });
}
