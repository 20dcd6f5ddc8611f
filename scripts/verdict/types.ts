import ts from "typescript";
import { MetPairs, both, member, paired, quote, thePart } from "./findings.js";
import type { Finding, Level, Place, Tell } from "./findings.js";
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
  readonly tell: Tell = (level, place, message, more) => this.findings.push({ level, place, message, ...more });

  constructor(types: Types) {
    this.#of = types;
  }

  /** Begins a part, in which places are told of that were told of in other parts. */
  startPart(): void {
    this.#met.startPart();
  }

  /** One body: its places by the walk, and the checker's word on the whole for what the walk may have missed. */
  part(place: Place, before: ts.Type, after: ts.Type): void {
    const first = this.findings.length;
    this.startPart();
    this.#types(place, [before], [after]);
    const level = this.#levelOf(place, [before], [after]);
    const needsMajor = level === "major" && place.side !== "export";
    const told = this.findings.slice(first).some((finding) => !needsMajor || finding.level === "major");
    if (level !== undefined && !told)
      this.tell(level, place, `the type of ${thePart} is another one`, { typeChanged: true });
  }

  /** What assignability alone says; undefined where each type fits the other. */
  #levelOf({ side }: Place, before: ts.Type[], after: ts.Type[]): Level | undefined {
    const [kept, foreseen] = [this.#of.fits(before, after), this.#of.fits(after, before)];
    if (kept && foreseen) return undefined;
    return { request: kept, answer: foreseen, export: false }[side] ? "minor" : "major";
  }

  #types(place: Place, before: ts.Type[], after: ts.Type[]): void {
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
      this.#types({ ...place, path: `${place.path}[]` }, items(was.arrays), items(is.arrays));
    if (was.objects.length > 0 && is.objects.length > 0) this.#alternatives(place, was.objects, is.objects);
  }

  #typeChanged(place: Place, before: ts.Type[], after: ts.Type[]): void {
    const level = this.#levelOf(place, before, after);
    if (level === undefined) return;
    const left = this.#of.tests(after);
    const isLost = place.side === "answer" && this.#of.tests(before).some((one) => !left.includes(one));
    const why = isLost && level === "minor" ? ", so code that tells them apart no longer compiles" : "";
    const words = `type changed from ${quote(this.#of.text(before))} to ${quote(this.#of.text(after))} in ${thePart}${why}`;
    this.tell(isLost ? "major" : level, place, words, { typeChanged: true });
  }

  #value(place: Place, type: ts.Type, isAdded: boolean): void {
    const isNull = (type.flags & ts.TypeFlags.Null) !== 0;
    const value = isNull ? quote("null") : `${noun(place.path)} ${quote(this.#of.text([type]))}`;
    const isAnswer = place.side === "answer";
    if (isAdded) {
      const why = isAnswer ? ", where no code foresees it" : "";
      return this.tell(isAnswer ? "major" : "minor", place, `${value} added to ${thePart}${why}`);
    }
    // An answer without it was foreseen, but code that compares with it no longer compiles.
    const why = isAnswer && !isNull ? ", so code that names it no longer compiles" : "";
    this.tell(isAnswer && isNull ? "minor" : "major", place, `${value} removed from ${thePart}${why}`);
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
      const path = isSingle ? place.path : `${place.path}(${schemaName(old) ?? before.indexOf(old) + 1})`;
      this.#object({ ...place, path }, old, now, before);
    }
    const named = (type: ts.Type): string => quote(schemaName(type) ?? this.#of.text([type]));
    // The same type twice is one type.
    for (const type of [...olds].filter((old) => !after.some((now) => isSame(old, now)))) {
      const isCovered = place.side === "request" && this.#of.fits([type], after);
      this.tell(isCovered ? "minor" : "major", place, `${named(type)} removed from ${thePart}`);
    }
    for (const type of [...news].filter((now) => !before.some((old) => isSame(now, old)))) {
      const isForeseen = place.side !== "answer" || this.#of.fits([type], before);
      this.tell(isForeseen ? "minor" : "major", place, `${named(type)} added to ${thePart}`);
    }
  }

  /** Two objects or tuples; `union` are the members of the old union. */
  #object(place: Place, before: ts.Type, after: ts.Type, union: ts.Type[]): void {
    if (this.#met.meets(place.side, [before], [after])) return;
    const [was, is] = [this.#of.properties(before), this.#of.properties(after)];
    if (this.#of.isTuple(before) && this.#of.isTuple(after) && was.size !== is.size)
      return this.#typeChanged(place, [before], [after]);
    this.members(place, was, is, "property", union);
    const here = { ...place, path: place.path === "" ? "*" : `${place.path}.*` };
    const [old, now] = [this.#of.index(before), this.#of.index(after)];
    if (old && now) this.#types(here, [old], [now]);
    else if (now) this.tell("minor", here, `further properties added to ${thePart}`);
    else if (old) this.tell("major", here, `further properties removed from ${thePart}`);
  }

  /** Properties, parameters or headers: which there are, which are required, and their types. */
  members(place: Place, was: Properties, is: Properties, kind = "property", union: ts.Type[] = []): void {
    for (const [name, old, now] of both(was, is)) {
      const step = /^\d+$/.test(name) ? `${place.path}[${name}]` : member(place.path, name);
      const here = { ...place, path: kind === "property" ? step : `${kind} ${name}` };
      const isTaken = place.side !== "request" && !old && now !== undefined && this.#isTaken(name, now, union);
      const named = `${kind} ${quote(name)}`;
      if (isTaken) this.tell("major", here, `${named} added to ${thePart}, by which code could tell it from others`);
      else this.presence(here, named, old, now);
      if (old && now) this.#types(here, [old.type], [now.type]);
    }
  }

  /** Whether something is there, and whether it has to be. */
  presence(place: Place, named: string, old: Property | undefined, now: Property | undefined): void {
    const word = now?.optional ? "optional" : "required";
    const isRequest = place.side === "request";
    if (!now) {
      if (old) this.tell("major", place, `${named} removed from ${thePart}`);
    } else if (!old)
      this.tell(isRequest && !now.optional ? "major" : "minor", place, `${named} added to ${thePart}, ${word}`);
    else if (old.optional !== now.optional) {
      // Callers must send what became required; readers must do without what became optional.
      const isBroken = place.side === "export" || isRequest === old.optional;
      this.tell(isBroken ? "major" : "minor", place, `${named} became ${word} in ${thePart}`);
    }
  }

  /** Whether `"name" in value` found other members of a union, and finds a further one from now on. */
  #isTaken(name: string, { type, optional }: Property, union: ts.Type[]): boolean {
    const others = union.flatMap((one) => this.#of.properties(one).get(name)?.type ?? []);
    return others.length > 0 && !(optional && this.#of.fits([type], others));
  }
}

/** What the values of a place are called: those of a list after it ("scopes[]" holds scopes). */
function noun(path: string): string {
  const [, list] = /(\w+?)s\[\]$/.exec(path) ?? [];
  return list?.replace(/ie$/, "y").replaceAll("_", " ") ?? "value";
}
