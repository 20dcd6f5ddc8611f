import type ts from "typescript";
import { covers, quote, thePart } from "./findings.js";
import type { Finding, Place } from "./findings.js";
import { Types } from "./kinds.js";
import type { Properties, Property } from "./kinds.js";
import type { OperationPair } from "./operations.js";
import { typePair } from "./program.js";
import type { TypePair } from "./program.js";
import { TypeComparison } from "./types.js";

/**
 * Asks TypeScript's checker whether what compiled still compiles and whether every answer was foreseen: for the parts of
 * each request, for each answer by its status, for `data` and `error` of each call, and for the schemas in `exported`.
 * Throws {@link UserError}.
 */
export function compareTypes(
  oldTypes: string,
  newTypes: string,
  operations: OperationPair[],
  exported: string[],
): Finding[] {
  const comparison = new CallComparison(typePair(oldTypes, newTypes));
  for (const operation of operations) comparison.operation(operation);
  for (const name of exported) comparison.schema(name);
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

  operation({ name, old, new: now }: OperationPair): void {
    const was = this.#of.properties(this.#pair.old("paths", old.path, old.method));
    const is = this.#of.properties(this.#pair.new("paths", now.path, now.method));
    this.#parameters(name, was.get("parameters")?.type, is.get("parameters")?.type);
    this.#request(name, was.get("requestBody"), is.get("requestBody"));
    const [before, after] = [was.get("responses")?.type, is.get("responses")?.type];
    if (before === undefined || after === undefined) return;
    const [oldStatuses, newStatuses] = [this.#of.properties(before), this.#of.properties(after)];
    for (const part of ["data", "error"] as const) {
      const isPart = ([status]: [string, Property]) => isSuccess(status) === (part === "data");
      this.#answers(
        { subject: name, side: "answer", part, path: "" },
        new Map([...oldStatuses].filter(isPart)),
        new Map([...newStatuses].filter(isPart)),
        this.#pair.old("calls", `${old.method} ${old.path}`, part),
        this.#pair.new("calls", `${now.method} ${now.path}`, part),
      );
    }
  }

  schema(name: string): void {
    const place: Place = { subject: name, side: "export", part: "", path: "" };
    this.#types.part(
      place,
      this.#pair.old("components", "schemas", name),
      this.#pair.new("components", "schemas", name),
    );
  }

  #parameters(subject: string, before: ts.Type | undefined, after: ts.Type | undefined): void {
    const [was, is] = [this.#of.properties(before), this.#of.properties(after)];
    const place: Place = { subject, side: "request", part: "request", path: "" };
    this.#types.startPart();
    for (const kind of ["path", "query", "header", "cookie"])
      this.#types.members(
        place,
        this.#of.properties(was.get(kind)?.type),
        this.#of.properties(is.get(kind)?.type),
        `${kind} parameter`,
      );
  }

  #request(subject: string, before: Property | undefined, after: Property | undefined): void {
    const place: Place = { subject, side: "request", part: "request", path: "" };
    if (before !== undefined && after !== undefined) {
      if (before.optional && !after.optional) this.#types.tell("major", place, "the request body became required");
      if (!before.optional && after.optional) this.#types.tell("minor", place, "the request body became optional");
      this.#contents(place, before.type, after.type);
    } else if (before !== undefined) {
      this.#types.tell("major", place, "the request body was removed");
    } else if (after !== undefined) {
      const word = after.optional ? "optional" : "required";
      this.#types.tell(after.optional ? "minor" : "major", place, `a request body was added, ${word}`);
    }
  }

  /** The answers that a call returns as `data`, or as `error`: one by one, and their bodies together. */
  #answers(place: Place, was: Properties, is: Properties, before: ts.Type, after: ts.Type): void {
    const first = this.#types.findings.length;
    for (const status of new Set([...was.keys(), ...is.keys()])) {
      const here: Place = { ...place, part: `${status} answer` };
      const [old, now] = [was.get(status), is.get(status)];
      if (old !== undefined && now !== undefined) {
        this.#types.startPart();
        const headers = ({ type }: Property) => this.#of.properties(this.#of.properties(type).get("headers")?.type);
        this.#types.members(here, headers(old), headers(now), "header");
        this.#contents(here, old.type, now.type, before);
      } else if (now !== undefined) {
        const bodies = this.#bodies(now.type);
        // An error without a body is passed over by `if (error)`, a success without one ends up in `data`.
        const hasNoBody = bodies.length === 0 && place.part === "data" && this.#hasBody(before);
        const foreseen = !hasNoBody && (bodies.length === 0 || this.#foresees(before, bodies));
        const kind = place.part === "data" ? "a success" : "an error";
        this.#types.tell(
          foreseen ? "minor" : "major",
          here,
          `added: ${thePart}${foreseen ? "" : `, ${kind} with another body`}`,
        );
      } else if (place.part === "data" && is.size === 0)
        this.#types.tell("major", here, `removed: ${thePart}, the only success`);
      else this.#types.tell("major", here, `removed: ${thePart}, so code that names it no longer compiles`);
    }
    // Where the same statuses share one body, that was compared already.
    if ([...was.keys()].join() === [...is.keys()].join() && !before.isUnion() && !after.isUnion()) return;
    if (!this.#hasBody(before) || !this.#hasBody(after)) return;
    const told = this.#types.findings.slice(first);
    const rest = this.#types.findings.length;
    this.#types.part(place, this.#of.solid(before), this.#of.solid(after));
    const fresh = this.#types.findings.splice(rest).filter(({ level, place: { path } }) => {
      const paths = [path, path.replace(/^\([^)]*\)\.?/, "")];
      return !told.some((one) => covers(one.level, level) && (paths.includes("") || paths.includes(one.place.path)));
    });
    this.#types.findings.push(...fresh);
  }

  #hasBody(type: ts.Type): boolean {
    return !this.#of.isNever(this.#of.solid(type));
  }

  /** Whether code that handles bodies of one type can handle others; where there were none, there is none to break. */
  #foresees(before: ts.Type, bodies: Property[]): boolean {
    return !this.#hasBody(before) || bodies.every(({ type }) => this.#of.fits([type], [before]));
  }

  /** The bodies of an answer, one for each media type. */
  #bodies(answer: ts.Type): Property[] {
    return [...this.#of.properties(this.#of.properties(answer).get("content")?.type).values()];
  }

  /** The media types of a request body or an answer; `all` is what all answers of its kind could be. */
  #contents(place: Place, before: ts.Type, after: ts.Type, all?: ts.Type): void {
    const was = this.#of.properties(this.#of.properties(before).get("content")?.type);
    const is = this.#of.properties(this.#of.properties(after).get("content")?.type);
    for (const media of new Set([...was.keys(), ...is.keys()])) {
      const [old, now] = [was.get(media), is.get(media)];
      const named = `content type ${quote(media)}`;
      if (old !== undefined && now !== undefined) this.#types.part(place, old.type, now.type);
      else if (now !== undefined) {
        const foreseen = all === undefined || this.#foresees(all, [now]);
        this.#types.tell(
          foreseen ? "minor" : "major",
          place,
          `${named} added to ${thePart}${foreseen ? "" : ", with another body"}`,
        );
      } else this.#types.tell("major", place, `${named} removed from ${thePart}`);
    }
  }
}

/** Statuses whose bodies openapi-fetch returns as data. */
function isSuccess(status: string): boolean {
  return /^2(\d\d|XX)$/i.test(status);
}
