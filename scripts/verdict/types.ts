import ts from "typescript";
import { MetPairs, below, both, finding, member, paired, pathText, quote, thePart } from "./findings.js";
import type { Finding, Level, Place, Side } from "./findings.js";
import { type Properties, type Property, type Types, schemaName } from "./kinds.js";

const singleValue = ts.TypeFlags.Literal | ts.TypeFlags.Null;

/**
 * Walks pairs of types along every path of properties that a program could have named, and collects what differs.
 * Assignability alone would pass over optional properties, and name no place.
 */
export class TypeComparison {
  findings: Finding[] = [];
  readonly #of: Types;
  readonly #met = new MetPairs();
  /** The pairs that were met in any part. */
  readonly #walked = new MetPairs();
  readonly tell = (...found: Parameters<typeof finding>): void => void this.findings.push(finding(...found));

  constructor(types: Types) {
    this.#of = types;
  }

  /** Begins a part, in which places are told of that were told of in other parts. */
  startPart(): void {
    this.#met.startPart();
  }

  /** One body: its places by the walk, and the checker's word on the whole for what the walk may have missed. */
  part(place: Place, before: ts.Type, after: ts.Type): void {
    this.startPart();
    this.#whole(place, before, after);
  }

  /** An exported type, unless it was met on the same side: it is told of there. */
  exported(subject: string, side: Side, before: ts.Type, after: ts.Type): void {
    if (!this.#meets(side, [before], [after])) this.part({ subject, side, part: "", path: [] }, before, after);
  }

  #meets(side: Side, before: ts.Type[], after: ts.Type[]): boolean {
    const [one, other] = [before, after].map((types) => this.#of.constituents(types));
    return this.#walked.meets(side, one ?? [], other ?? []);
  }

  #whole(place: Place, before: ts.Type, after: ts.Type): void {
    const first = this.findings.length;
    this.#types(place, [before], [after]);
    const level = this.#levelOf(place, [before], [after]);
    // A value that an exported type alone has got is minor, whatever uses it.
    const needsMajor = level === "major" && place.side !== "export" && (place.side === "request" || place.part !== "");
    const isTold = this.findings.slice(first).some((finding) => !needsMajor || finding.level === "major");
    if (level !== undefined && !isTold) this.tell(level, place, `the type of ${thePart} is another one`, "value");
  }

  /** What assignability alone says; undefined if each type fits the other. */
  #levelOf({ side }: Place, before: ts.Type[], after: ts.Type[]): Level | undefined {
    // Whether there has to be a value is told apart.
    const [was, is] = [this.#of.constituents(before), this.#of.constituents(after)];
    const [kept, foreseen] = [this.#of.fits(was, after), this.#of.fits(is, before)];
    if (kept && foreseen) return undefined;
    return { request: kept, answer: foreseen, export: false }[side] ? "minor" : "major";
  }

  #types(place: Place, before: ts.Type[], after: ts.Type[]): void {
    this.#meets(place.side, before, after);
    const [was, is] = [this.#of.kinds(before), this.#of.kinds(after)];
    const removed = [...was.scalars].filter(([text]) => !is.scalars.has(text));
    const added = [...is.scalars].filter(([text]) => !was.scalars.has(text));
    const sameKinds =
      [...removed, ...added].every(([, type]) => (type.flags & singleValue) !== 0) &&
      (was.arrays.length === 0) === (is.arrays.length === 0) &&
      (was.objects.length === 0) === (is.objects.length === 0);
    if (sameKinds) {
      for (const [, type] of removed) this.#value(place, type, false);
      for (const [, type] of added) this.#value(place, type, true);
    } else this.#typeChanged(place, before, after);
    const items = (arrays: ts.Type[]) => arrays.flatMap((one) => this.#of.items(one));
    if (was.arrays.length > 0 && is.arrays.length > 0)
      this.#types(below(place, "[]"), items(was.arrays), items(is.arrays));
    if (was.objects.length > 0 && is.objects.length > 0) this.#alternatives(place, was.objects, is.objects);
  }

  #typeChanged(place: Place, before: ts.Type[], after: ts.Type[]): void {
    const level = this.#levelOf(place, before, after);
    if (level === undefined) return;
    const isLost = place.side === "answer" && this.#of.loses(before, after);
    const why = isLost && level === "minor" ? ", so code that tells them apart no longer compiles" : "";
    const words = `type changed from ${quote(this.#of.text(before))} to ${quote(this.#of.text(after))} in ${thePart}${why}`;
    this.tell(isLost ? "major" : level, place, words, "value");
  }

  #value(place: Place, type: ts.Type, isAdded: boolean): void {
    const isNull = (type.flags & ts.TypeFlags.Null) !== 0;
    const value = isNull ? quote("null") : `value ${quote(this.#of.text([type]))}${listOf(place.path)}`;
    // Whoever reads an exported type alone is not surprised by a value.
    const isAnswer = place.side === "answer" && place.part !== "";
    if (isAdded) {
      const why = isAnswer ? ", where no code foresees it" : "";
      return this.tell(isAnswer ? "major" : "minor", place, `${value} added to ${thePart}${why}`, "value");
    }
    // An answer without it was foreseen, but code that compares with it no longer compiles.
    const why = isAnswer && !isNull ? ", so code that names it no longer compiles" : "";
    const level = isAnswer && isNull ? "minor" : "major";
    this.tell(level, place, `${value} removed from ${thePart}${why}`, "value");
  }

  /** Pairs the objects of two unions by schema name, then by type; what is left was removed or added. */
  #alternatives(place: Place, before: ts.Type[], after: ts.Type[]): void {
    const isSame = (one: ts.Type, other: ts.Type): boolean =>
      this.#of.fits([one], [other]) && this.#of.fits([other], [one]);
    const { pairs, olds, news } = paired(before, after, [
      (old, now) => schemaName(old) !== undefined && schemaName(old) === schemaName(now),
      isSame,
      (_old, _now, isLast) => isLast,
    ]);
    const isSingle = before.length === 1 && after.length === 1;
    for (const [old, now] of pairs) {
      const here = isSingle ? place : below(place, `(${schemaName(old) ?? before.indexOf(old) + 1})`);
      this.#object(here, old, now, before);
    }
    const named = (type: ts.Type): string => quote(schemaName(type) ?? this.#of.text([type]));
    // The same type twice is one type.
    for (const type of [...olds].filter((old) => !after.some((now) => isSame(old, now)))) {
      const isCovered = place.side === "request" && this.#of.fits([type], after);
      this.tell(isCovered ? "minor" : "major", place, `${named(type)} removed from ${thePart}`, "member");
    }
    for (const type of [...news].filter((now) => !before.some((old) => isSame(now, old)))) {
      const isForeseen = place.side !== "answer" || this.#of.fits([type], before);
      this.tell(isForeseen ? "minor" : "major", place, `${named(type)} added to ${thePart}`, "member");
    }
  }

  /** Two objects or tuples; `union` are the members of the old union. */
  #object(place: Place, before: ts.Type, after: ts.Type, union: ts.Type[]): void {
    this.#meets(place.side, [before], [after]);
    if (this.#met.meets(place.side, [before], [after])) return;
    const [was, is] = [this.#of.properties(before), this.#of.properties(after)];
    if (this.#of.isTuple(before) && this.#of.isTuple(after) && was.size !== is.size)
      return this.#typeChanged(place, [before], [after]);
    this.members(place, was, is, "property", union);
    const here = below(place, "*");
    const [old, now] = [this.#of.index(before), this.#of.index(after)];
    if (old && now) this.#types(here, [old], [now]);
    else if (now) this.tell("minor", here, `further properties added to ${thePart}`, "value");
    else if (old) this.tell("major", here, `further properties removed from ${thePart}`, "value");
  }

  /** Properties, or parameters or headers, each of which is a whole: which there are, which are required, their types. */
  members(place: Place, was: Properties, is: Properties, kind = "property", union: ts.Type[] = []): void {
    const isProperty = kind === "property";
    for (const [name, old, now] of both(was, is)) {
      const step = /^\d+$/.test(name) ? `[${name}]` : member(name);
      const here = below(place, isProperty ? step : `${kind} ${name}`);
      const isTaken = place.side !== "request" && !old && now !== undefined && this.#isTaken(name, now, union);
      const named = `${kind} ${quote(name)}`;
      if (isTaken)
        this.tell("major", here, `${named} added to ${thePart}, by which code could tell it from others`, "member");
      else this.presence(here, named, old, now, "member");
      if (old && now && isProperty) this.#types(here, [old.type], [now.type]);
      else if (old && now) this.#whole(here, old.type, now.type);
    }
  }

  /** Whether something is there, and whether it has to be. */
  presence(
    place: Place,
    named: string,
    old: Property | undefined,
    now: Property | undefined,
    mark?: Finding["mark"],
  ): void {
    const word = now?.optional ? "optional" : "required";
    const isRequest = place.side === "request";
    if (!now) {
      if (old) this.tell("major", place, `${named} removed from ${thePart}`, mark);
    } else if (!old)
      this.tell(isRequest && !now.optional ? "major" : "minor", place, `${named} added to ${thePart}, ${word}`, mark);
    else if (old.optional !== now.optional) {
      // Callers must send what became required; readers must do without what became optional.
      const isBroken = place.side === "export" || isRequest === old.optional;
      this.tell(isBroken ? "major" : "minor", place, `${named} became ${word} in ${thePart}`, mark);
    }
  }

  /** Whether `"name" in value` found other members of a union, and finds a further one from now on. */
  #isTaken(name: string, { type, optional }: Property, union: ts.Type[]): boolean {
    const others = union.flatMap((one) => this.#of.properties(one).get(name)?.type ?? []);
    return others.length > 0 && !(optional && this.#of.fits([type], others));
  }
}

/** The list of which a place is the items: " of `scopes[]`". */
function listOf(path: readonly string[]): string {
  const [, list] = /([^.[\]()]+(?:\[\])+)$/.exec(pathText(path)) ?? [];
  return list === undefined ? "" : ` of ${quote(list)}`;
}
