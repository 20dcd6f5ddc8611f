import { quote } from "./findings.js";
import type { Finding, Level } from "./findings.js";
import type { OpenApi } from "../spec/json.js";
import { type Operation, operationsOf } from "../spec/operations.js";

/** An operation that both specs have, by the name that messages use. */
export interface OperationPair {
  name: string;
  old: Operation;
  new: Operation;
}

/** Pairs the operations of two specs, by operationId and then by method and path, and tells of the others. */
export function pairOperations(
  oldSpec: OpenApi,
  newSpec: OpenApi,
): { operations: OperationPair[]; findings: Finding[] } {
  const left = new Map(operationsOf(newSpec).map((now) => [now.route, now]));
  const operations: OperationPair[] = [];
  const findings: Finding[] = [];
  const tell = (level: Level, subject: string, message: string): void => {
    findings.push({ level, place: { subject, side: "request", part: "", path: "" }, message });
  };
  const was = operationsOf(oldSpec);
  const oldIds = new Set(was.map(idOf));
  for (const old of was) {
    const { route } = old;
    const id = idOf(old);
    const name = id ?? route;
    const sameRoute = left.get(route);
    const isRenamed = sameRoute && (idOf(sameRoute) === undefined || !oldIds.has(idOf(sameRoute)));
    const sameId = id === undefined ? undefined : [...left.values()].find((now) => idOf(now) === id);
    const now = sameId ?? (isRenamed ? sameRoute : undefined);
    if (now === undefined) {
      tell("major", name, `operation removed: ${quote(route)}`);
      continue;
    }
    left.delete(now.route);
    operations.push({ name, old, new: now });
    if (now.route !== route) tell("major", name, `operation moved from ${quote(route)} to ${quote(now.route)}`);
    if (id !== idOf(now)) tell("major", name, `operation renamed to ${quote(idOf(now) ?? route)}: ${quote(route)}`);
  }
  for (const now of left.values()) tell("minor", idOf(now) ?? now.route, `operation added: ${quote(now.route)}`);
  return { operations, findings };
}

function idOf({ fields: { operationId: id } }: Operation): string | undefined {
  return typeof id === "string" ? id : undefined;
}
