import { type Finding, type Level, finding, paired, quote } from "./findings.js";
import type { OpenApi } from "../spec/json.js";
import { type Operation, operationsOf } from "../spec/operations.js";

/** The operations that both specs have, the old ones with the new ones. */
export type OperationPairs = Iterable<[old: Operation, now: Operation]>;

/** Pairs the operations of two specs, by operationId and then by method and path, and tells of the others. */
export function pairOperations(
  oldSpec: OpenApi,
  newSpec: OpenApi,
): { operations: OperationPairs; findings: Finding[] } {
  const findings: Finding[] = [];
  const tell = (level: Level, subject: string, message: string): void => {
    findings.push(finding(level, { subject, side: "request", part: "", path: [] }, message));
  };
  const { pairs, olds, news } = paired(operationsOf(oldSpec), operationsOf(newSpec), [
    (old, now) => old.name === now.name,
    (old, now) => old.route === now.route,
  ]);
  for (const { name, route } of olds) tell("major", name, `operation removed: ${quote(route)}`);
  for (const [{ name, route }, now] of pairs) {
    if (now.route !== route) tell("major", name, `operation moved from ${quote(route)} to ${quote(now.route)}`);
    if (now.name !== name) tell("major", name, `operation renamed to ${quote(now.name)}: ${quote(route)}`);
  }
  for (const { name, route } of news) tell("minor", name, `operation added: ${quote(route)}`);
  return { operations: pairs, findings };
}
