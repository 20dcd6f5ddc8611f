import type ts from "typescript";
import { type Finding, type Place, type Side, both, each, pathText, quote, thePart } from "./findings.js";
import { type Properties, Types } from "./kinds.js";
import type { OperationPairs } from "./operations.js";
import { typePair } from "./program.js";
import { TypeComparison } from "./types.js";

/**
 * Asks TypeScript's checker whether what compiled still compiles and whether every answer was foreseen: for the parts of
 * each request, for each answer by its status, for `data` and `error` of each call, and for exported schemas, on the sides
 * that use them. Throws {@link UserError}.
 */
export function compareTypes(
  oldTypes: string,
  newTypes: string,
  operations: OperationPairs,
  exported: Iterable<[schema: string, sides: Iterable<Side>]>,
): Finding[] {
  const pair = typePair(oldTypes, newTypes);
  const of = new Types(pair.checker);
  const types = new TypeComparison(of);
  const contentOf = (all: Properties, ...path: string[]): Properties =>
    path.reduce((found, step) => of.properties(found.get(step)?.type), all);

  /** The media types of a request body or an answer. */
  const contents = (place: Place, before: Properties, after: Properties): void => {
    for (const [media, old, now] of both(before, after))
      if (old && now) types.part(place, old.type, now.type);
      else if (now) types.tell("minor", place, `content type ${quote(media)} added to ${thePart}`);
      else types.tell("major", place, `content type ${quote(media)} removed from ${thePart}`);
  };
  const request = (place: Place, before: Properties, after: Properties): void => {
    types.startPart();
    for (const kind of ["path", "query", "header", "cookie"])
      types.members(place, ...each(before, after, (all) => contentOf(all, "parameters", kind)), `${kind} parameter`);
    const [old, now] = each(before, after, (all) => all.get("requestBody"));
    types.presence(place, "body", old, now);
    if (old && now) contents(place, ...each(before, after, (all) => contentOf(all, "requestBody", "content")));
  };

  /** The answers that a call returns as `data`, or as `error`: one by one, and all their bodies together. */
  const answers = (place: Place, olds: Properties, news: Properties, before: ts.Type, after: ts.Type): void => {
    const first = types.findings.length;
    for (const [status, old, now] of both(olds, news)) {
      const here: Place = { ...place, part: `${status} answer` };
      if (!old) types.tell("minor", here, `added: ${thePart}`);
      else if (!now) types.tell("major", here, `removed: ${thePart}, so code that names it no longer compiles`);
      else {
        types.startPart();
        types.members(here, ...each(olds, news, (all) => contentOf(all, status, "headers")), "header");
        contents(here, ...each(olds, news, (all) => contentOf(all, status, "content")));
      }
    }
    // No code reads bodies that were not there. If the same statuses share one body, that was compared already.
    const isOne = [...olds.keys()].join() === [...news.keys()].join() && !before.isUnion() && !after.isUnion();
    if (isOne || of.isEmpty(before) || of.isEmpty(after)) return;
    // A union of the bodies of several statuses has each as an alternative.
    const bare = ({ place: { path } }: Finding): string => pathText(path[0]?.startsWith("(") ? path.slice(1) : path);
    const told = types.findings.slice(first).filter(({ level }) => level === "major");
    const rest = types.findings.length;
    types.part(place, before, after);
    // Lesser changes were told of answer by answer.
    const isFresh = (one: Finding): boolean =>
      one.level === "major" && !told.some((other) => bare(one) === "" || bare(one) === bare(other));
    types.findings.push(...types.findings.splice(rest).filter(isFresh));
  };

  for (const [old, now] of operations) {
    const before = of.properties(pair.old("paths", old.path, old.method));
    const after = of.properties(pair.new("paths", now.path, now.method));
    request({ subject: old.name, side: "request", part: "request", path: [] }, before, after);
    if (!before.has("responses") || !after.has("responses")) continue;
    for (const part of ["data", "error"] as const) {
      const some = each(
        before,
        after,
        (all) =>
          new Map([...contentOf(all, "responses")].filter(([status]) => isSuccess(status) === (part === "data"))),
      );
      const place: Place = { subject: old.name, side: "answer", part, path: [] };
      answers(place, ...some, pair.old("calls", old.route, part), pair.new("calls", now.route, part));
    }
  }
  for (const [name, sides] of exported)
    for (const side of sides)
      types.exported(name, side, pair.old("components", "schemas", name), pair.new("components", "schemas", name));
  return types.findings;
}

/** Statuses whose bodies openapi-fetch returns as data. */
function isSuccess(status: string): boolean {
  return /^2(\d\d|XX)$/i.test(status);
}
