import { type Finding, type Level, type Place, below, quote } from "./findings.js";
import { type Json, list, object } from "../spec/json.js";
import { restOf } from "./texts.js";

interface Server {
  /** Without a slash at its end, with each variable's default in its place. */
  url: string;
  environment: string | undefined;
  node: Json;
}

/** Compares the hosts that callers send to: callers name them by their environment. Secrets go there: each is to be reviewed. */
export function compareServers(place: Place, oldServers: unknown, newServers: unknown): Finding[] {
  const findings: Finding[] = [];
  const tell = (level: Level, message: string): void => {
    findings.push({ level, place, message, review: true });
  };
  const [before, after] = [serversOf(oldServers), serversOf(newServers)];
  const left = new Set(after);
  for (const old of before) {
    const now = after.find((one) => isNamedAlike(one, old)) ?? after.find(({ url }) => url === old.url);
    if (now === undefined) {
      tell("major", `${kind(old)} removed: ${quote(old.url)}`);
      continue;
    }
    left.delete(now);
    if (now.url !== old.url) tell("major", `${kind(old)} moved from ${quote(old.url)} to ${quote(now.url)}`);
    if (now.environment !== old.environment)
      tell(old.environment === undefined ? "minor" : "major", `${kind(old)} is now ${kind(now)}`);
    findings.push(...restOf(below(place, old.url), old.node, now.node, ["url", "x-environment"]));
  }
  for (const now of left) tell("minor", `${kind(now)} added: ${quote(now.url)}`);
  return findings;
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
