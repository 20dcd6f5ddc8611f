import type ts from "typescript";
import { type Finding, type Place, type Side, both, pathText, quote, thePart } from "./findings.js";
import { type Properties, Types } from "./kinds.js";
import type { Operation } from "../spec/operations.js";
import type { OperationPairs } from "./operations.js";
import { type TypePair, typePair } from "./program.js";
import { TypeComparison } from "./types.js";

/**
 * Asks TypeScript's checker whether what compiled still compiles and whether every answer was foreseen: for the parts of
 * each request, for each answer by its status, for `data` and `error` of each call, and for exported schemas, each as what it is used for.
 * Throws {@link UserError}.
 */
export function compareTypes(
  oldTypes: string,
  newTypes: string,
  operations: OperationPairs,
  exported: Iterable<[schema: string, sides: Iterable<Side>]>,
): Finding[] {
  const comparison = new CallComparison(typePair(oldTypes, newTypes));
  for (const [old, now] of operations) comparison.operation(old, now);
  for (const [name, sides] of exported) comparison.schema(name, sides);
  return comparison.findings;
}

/** Compares what a caller has of each operation. */
class CallComparison {
  readonly #pair: TypePair;
  readonly #of: Types;
  readonly #types: TypeComparison;

  constructor(pair: TypePair) {
    this.#pair = pair;
    this.#of = new Types(pair.checker);
    this.#types = new TypeComparison(this.#of);
  }

  get findings(): Finding[] {
    return this.#types.findings;
  }

  operation(old: Operation, now: Operation): void {
    const subject = old.name;
    const was = this.#of.properties(this.#pair.old("paths", old.path, old.method));
    const is = this.#of.properties(this.#pair.new("paths", now.path, now.method));
    this.#request({ subject, side: "request", part: "request", path: [] }, was, is);
    if (!was.has("responses") || !is.has("responses")) return;
    for (const part of ["data", "error"] as const) {
      const before = this.#pair.old("calls", old.route, part);
      const after = this.#pair.new("calls", now.route, part);
      this.#answers({ subject, side: "answer", part, path: [] }, was, is, before, after);
    }
  }

  schema(name: string, sides: Iterable<Side>): void {
    const [before, after] = [this.#pair.old, this.#pair.new].map((at) => at("components", "schemas", name));
    if (before && after) for (const side of sides) this.#types.exported(name, side, before, after);
  }

  #request(place: Place, was: Properties, is: Properties): void {
    this.#types.startPart();
    for (const kind of ["path", "query", "header", "cookie"]) {
      const [olds, news] = [this.#below(was, "parameters", kind), this.#below(is, "parameters", kind)];
      this.#types.members(place, olds, news, `${kind} parameter`);
    }
    const [old, now] = [was.get("requestBody"), is.get("requestBody")];
    this.#types.presence(place, "body", old, now);
    if (old && now)
      this.#contents(place, this.#below(was, "requestBody", "content"), this.#below(is, "requestBody", "content"));
  }

  /** The answers that a call returns as `data`, or as `error`: one by one, and all their bodies together. */
  #answers(place: Place, was: Properties, is: Properties, before: ts.Type, after: ts.Type): void {
    const first = this.#types.findings.length;
    const answers = (all: Properties): Properties =>
      new Map([...this.#below(all, "responses")].filter(([status]) => isSuccess(status) === (place.part === "data")));
    const [olds, news] = [answers(was), answers(is)];
    for (const [status, old, now] of both(olds, news)) {
      const here: Place = { ...place, part: `${status} answer` };
      if (!old) this.#types.tell("minor", here, `added: ${thePart}`);
      else if (!now) this.#types.tell("major", here, `removed: ${thePart}, so code that names it no longer compiles`);
      else {
        this.#types.startPart();
        const [oldHeaders, newHeaders] = [this.#below(olds, status, "headers"), this.#below(news, status, "headers")];
        this.#types.members(here, oldHeaders, newHeaders, "header");
        this.#contents(here, this.#below(olds, status, "content"), this.#below(news, status, "content"));
      }
    }
    // Where there were no bodies, no code reads them. Where the same statuses share one body, that was compared already.
    const isOne = [...olds.keys()].join() === [...news.keys()].join() && !before.isUnion() && !after.isUnion();
    if (isOne || this.#of.isEmpty(before) || this.#of.isEmpty(after)) return;
    // A union of the bodies of several statuses has each as an alternative.
    const bare = ({ place: { path } }: Finding): string => pathText(path[0]?.startsWith("(") ? path.slice(1) : path);
    const told = this.#types.findings.slice(first).filter(({ level }) => level === "major");
    const rest = this.#types.findings.length;
    this.#types.part(place, before, after);
    // Lesser changes were told of answer by answer.
    const isFresh = (finding: Finding): boolean =>
      finding.level === "major" && !told.some((one) => bare(finding) === "" || bare(finding) === bare(one));
    this.#types.findings.push(...this.#types.findings.splice(rest).filter(isFresh));
  }

  /** The media types of a request body or an answer. */
  #contents(place: Place, was: Properties, is: Properties): void {
    for (const [media, old, now] of both(was, is))
      if (old && now) this.#types.part(place, old.type, now.type);
      else if (now) this.#types.tell("minor", place, `content type ${quote(media)} added to ${thePart}`);
      else this.#types.tell("major", place, `content type ${quote(media)} removed from ${thePart}`);
  }

  #below(properties: Properties, ...path: string[]): Properties {
    return path.reduce((found, step) => this.#of.properties(found.get(step)?.type), properties);
  }
}

/** Statuses whose bodies openapi-fetch returns as data. */
function isSuccess(status: string): boolean {
  return /^2(\d\d|XX)$/i.test(status);
}
