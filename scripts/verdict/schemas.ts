import { isDeepStrictEqual } from "node:util";
import { type Json, isObject, asObject } from "../spec/json.js";
import { fieldsOf } from "../spec/walk.js";
import { Conjunction, areDisjoint, bare } from "./conjunction.js";
import {
  type Finding,
  type Place,
  type Presence,
  type Side,
  both,
  changeOf,
  each,
  highest,
  isWords,
  member,
  paired,
  partPlaceholder,
  quote,
  unordered,
} from "./findings.js";
import { type ConstraintChange, type Sense, constraintChanges, constraintKeywords, levelOf } from "./keywords.js";

/** Where a pair of schemas is, and how it counts there. */
interface Spot {
  place: Place;
  sense: Sense;
  /** Whether TypeScript's types show it. */
  isTyped: boolean;
  /** Whether there always is a value. */
  isThere: boolean;
  /** Each other alternative that there was: code may tell them apart by a property. */
  siblings: Conjunction[];
}

const fields = [...fieldsOf("schema")];
const senses: Record<string, Sense> = { not: "reversed", if: "both", $defs: "none", definitions: "none" };
const typedKeywords = ["items", "additionalProperties", "patternProperties"];
/** Keywords that are walked, or that have a rule. */
const covered = new Set([
  ...constraintKeywords,
  ..."default readOnly writeOnly $ref".split(" "),
  ...fields.flatMap(([keyword, kind]) => (kind.startsWith("schema") ? [keyword] : [])),
]);

/** Walks pairs of schemas through every place at which a schema can be. */
export class SchemaComparison {
  /** The schemas in `components` that both specs have in one place, and whether the types of that place show them. */
  readonly met = new Map<string, { isShown: boolean }>();
  /** The pairs that were met in the present part: a recursive schema ends there. */
  readonly #pairs = new Set<string>();
  readonly #ids = new Map<object, number>();
  #walked = 0;

  /** The findings of one part. `isThere`: it has to be sent. `others`: schemas from which code may tell it by a property. */
  part(place: Place, before: unknown, after: unknown, isThere = false, others: unknown[] = []): Finding[] {
    const siblings = others.map((one) => new Conjunction([one]));
    return this.#part({ place, sense: "as is", isTyped: true, isThere, siblings }, before, after);
  }

  /** The findings of an exported schema: all of them, or those about its type if its values were compared in a part. */
  exported(place: Place, before: unknown, after: unknown): Finding[] {
    const spot: Spot = { place, sense: "as is", isTyped: true, isThere: false, siblings: [] };
    return this.met.has(place.subject)
      ? this.#part({ ...spot, sense: "none" }, before, after).filter(({ level }) => level !== "patch")
      : this.#part(spot, before, after);
  }

  /** Each part starts afresh, so that every place is named. A dense description would then take minutes, hence the limit. */
  #part(spot: Spot, before: unknown, after: unknown): Finding[] {
    if (this.#walked < 20_000) this.#pairs.clear();
    return this.#schemas(spot, [before], [after]);
  }

  #idOf(one: object): number {
    if (!this.#ids.has(one)) this.#ids.set(one, this.#ids.size);
    return this.#ids.get(one) ?? 0;
  }

  #schemas(spot: Spot, before: unknown[], after: unknown[]): Finding[] {
    return this.#pair(spot, new Conjunction(before), new Conjunction(after));
  }

  #pair(spot: Spot, before: Conjunction, after: Conjunction): Finding[] {
    const { place, sense, isTyped, isThere } = spot;
    for (const name of before.names.filter((one) => after.names.includes(one))) {
      const isShown = isTyped && [before, after].every(({ whole }) => whole.includes(name));
      this.met.set(name, { isShown: isShown || this.met.get(name)?.isShown === true });
    }
    const ids = each(before, after, ({ nodes }) => nodes.map((one) => this.#idOf(one)));
    const pair = JSON.stringify([place.side, sense, isTyped, isThere, ids]);
    if (this.#pairs.has(pair)) return [];
    this.#pairs.add(pair);
    this.#walked++;

    const differ = (one: Conjunction, other: Conjunction) =>
      (one.members.length === 0) !== (other.members.length === 0);
    const [one, other] = differ(before, after) ? each(before, after, folded) : [before, after];
    const isWrapped = differ(one, other);
    const found = isWrapped ? [] : [...this.#nodes(spot, one, other)];
    found.push(...this.#alternatives(spot, ...each(one, other, (schema) => alternativesOf(schema, isWrapped))));
    found.push(...place.rest(before.ignored, after.ignored));
    if (found.length === 0 && unordered(before.nodes) !== unordered(after.nodes))
      found.push(place.finding("patch", `rewritten with the same meaning in ${partPlaceholder}`));
    else if (isWrapped && found.some(({ level }) => level !== "patch") && !(areClear(one) && areClear(other))) {
      const message = `other alternatives in ${partPlaceholder}: types do not tell which of them exclude each other`;
      found.push(place.finding("patch", message, "review"));
    }
    return found;
  }

  /** The keywords of two schemas, and the schemas below them. */
  *#nodes(spot: Spot, before: Conjunction, after: Conjunction): Iterable<Finding> {
    const { place, sense, isTyped } = spot;
    for (const change of constraintChanges(before, after))
      if (!isTyped || change.keyword !== "required") yield constraintFinding(spot, change, before.types !== undefined);
    yield* behaviorChanges(spot, before, after);
    const keys = [...new Set([...before.nodes, ...after.nodes].flatMap(Object.keys))].filter(
      (key) => !covered.has(key),
    );
    const texts = (schema: Conjunction): Json => Object.fromEntries(keys.map((key) => [key, schema.value(key)]));
    yield* place.rest(...each(before, after, texts));
    const [from, to] = each(before, after, (schema) => ["oneOf", "anyOf"].find((key) => schema.items(key).length > 0));
    if (from !== to && from && to && !areClear(before)) {
      const message = `${quote(from)} became ${quote(to)} in ${partPlaceholder}, of alternatives that may not exclude each other`;
      yield place.finding(levelOf(place.side, sense, to === "oneOf" ? "tightened" : "loosened"), message, "review");
    }
    // Keywords of lists say nothing of objects, and a schema that says nothing allows all that a type does.
    const isOpened = (one: Conjunction, other: Conjunction) => one.saysNothing && other.types !== undefined;
    if (areDisjoint(before.shownTypes, after.shownTypes) || isOpened(before, after) || isOpened(after, before)) return;
    yield* this.#properties(spot, before, after);
    for (const [step, one, other] of itemsOf(before, after))
      yield* this.#below(spot, "items", "items", one, other, place.below(step));
    const isIndexed = isTyped && before.hasIndex !== after.hasIndex;
    if (isIndexed) {
      const others = after.values("additionalProperties").some((one) => !asksNothing("additionalProperties", one));
      const isTighter = others && !before.values("additionalProperties").includes(false);
      const level = isTighter ? highest(["minor", levelOf(place.side, sense, "tightened")]) : "minor";
      const verb = after.hasIndex ? "added to" : "removed from";
      yield place.below("*").finding(after.hasIndex ? level : "major", `further properties ${verb} ${partPlaceholder}`);
    }
    for (const [keyword, step, one, other] of partsOf(before, after)) {
      if (isIndexed && keyword === "additionalProperties") continue;
      const here = place.below(step === "additionalProperties" ? "*" : `(${step})`);
      yield* this.#below(spot, keyword, step, one, other, here);
    }
  }

  /** A keyword that holds a schema for a value, or for a part of it. */
  *#below(
    spot: Spot,
    keyword: string,
    step: string,
    all: unknown[],
    others: unknown[],
    place: Place,
  ): Iterable<Finding> {
    const [before, after] = each(all, others, (some) => some.filter((one) => !asksNothing(keyword, one)));
    const [wasClosed, isClosed] = each(all, others, (some) => some.some((one) => asksNothing(keyword, one, true)));
    if ((before.length === 0 && after.length === 0) || (wasClosed && isClosed)) return;
    if ((keyword === "items" || (before.length > 0 && after.length > 0)) && wasClosed === isClosed) {
      const sense = combinedSense(spot.sense, senses[keyword] ?? "as is");
      const isTyped = spot.isTyped && typedKeywords.includes(keyword);
      return yield* this.#schemas({ place, sense, isTyped, isThere: keyword === "items", siblings: [] }, before, after);
    }
    const effect = before.length === 0 || isClosed ? "tightened" : "loosened";
    // A reader meets properties that a closed object now allows as additions.
    const isAddition = /^(additional|unevaluated)Properties$/.test(keyword) && effect === "loosened";
    const isMinor = isAddition && place.side === "response" && spot.sense === "as is";
    const level = isMinor ? "minor" : levelOf(place.side, spot.sense, effect);
    const isMap = keyword === "additionalProperties" && [...before, ...after].some(isObject);
    yield (isMap ? place : spot.place).finding(level, changeOf(step, before[0], after[0], effect));
  }

  *#properties(spot: Spot, schemaBefore: Conjunction, schemaAfter: Conjunction): Iterable<Finding> {
    const { sense, isTyped, siblings } = spot;
    const [was, is] = each(schemaBefore, schemaAfter, (schema) => ({
      required: new Set(schema.items("required").map(String)),
      described: schema.named("properties"),
    }));
    for (const name of new Set([was, is].flatMap(({ required, described }) => [...described.keys(), ...required]))) {
      const place = spot.place.below(member(name));
      const named = `property ${quote(name)}`;
      const [before, after] = each(was, is, ({ described }) => described.get(name));
      const [from, to] = each(was, is, ({ required, described }): Presence => {
        if (required.has(name)) return "required";
        return described.get(name)?.includes(false) === false ? "optional" : undefined;
      });
      if (isTyped && (from ?? to)) {
        const isTaken = place.side !== "request" && !from && siblings.some((one) => isToldBy(one, name, after, to));
        const why = `${named} added to ${partPlaceholder}, by which code could tell it from others`;
        yield* isTaken ? [place.finding("major", why)] : place.presence(named, from, to);
      } else if (!before !== !after && !(before ?? after ?? []).every((one) => asksNothing("properties", one))) {
        const message = `${named} ${after ? "added to" : "removed from"} ${partPlaceholder}`;
        yield place.finding(levelOf(place.side, sense, after ? "tightened" : "loosened"), message);
      }
      if (!before || !after) continue;
      const [wasReadOnly, isReadOnly] = each(before, after, (all) =>
        new Conjunction(all).values("readOnly").includes(true),
      );
      if (place.side === "request" && sense === "as is" && to === "required" && wasReadOnly && !isReadOnly)
        yield place.finding("major", `has to be sent from now on in ${partPlaceholder}`);
      const isThere = from === "required" && to === "required";
      yield* this.#schemas({ ...spot, place, isThere, siblings: [] }, before, after);
    }
  }

  /**
   * Pairs alternatives by name, then equal ones, then each with the one that it fits best: each old one of a request must
   * still find one, each new one of a response must have had one. An alternative of which another one allows all does not count.
   */
  *#alternatives(spot: Spot, before: Conjunction[], after: Conjunction[]): Iterable<Finding> {
    const { place, sense } = spot;
    const sideOf = (one: Conjunction) => (before.includes(one) ? before : after);
    const othersOf = (one: Conjunction) => sideOf(one).filter((other) => other !== one);
    // Of two that allow the same, the first counts.
    const isCovered = (one: Conjunction) =>
      sideOf(one).some(
        (other, index, all) => other !== one && other.isPlain(one) && (index < all.indexOf(one) || !one.isPlain(other)),
      );
    const compare = (one: Conjunction, other: Conjunction): Finding[] => {
      const named = before.length > 1 ? one : other;
      const here = place.below(`(${named.name ?? sideOf(named).indexOf(named) + 1})`);
      const siblings = [...spot.siblings, ...othersOf(one)];
      const covered: Partial<Spot> = isCovered(one) && isCovered(other) ? { sense: "none", isTyped: false } : {};
      return this.#pair({ ...spot, place: here, siblings, ...covered }, one, other);
    };
    const { pairs, removed, added } = paired(before, after, [
      (one, other) => one.name !== undefined && one.name === other.name,
      (one, other) => isDeepStrictEqual(one.schemas, other.schemas),
    ]);
    for (const pair of pairs) yield* compare(...pair);

    const isResponse = (place.side === "response") !== (sense === "reversed");
    const [left, free, all] = isResponse ? [added, removed, before] : [removed, added, after];
    for (const one of left) {
      const pairOf = (other: Conjunction) => (isResponse ? [other, one] : [one, other]) as [Conjunction, Conjunction];
      const [best] = all
        .map((other) => ({ other, isTaken: !free.has(other), cost: costOf(place.side, ...pairOf(other)) }))
        .filter(({ isTaken, cost }) => cost < (isTaken ? costs.major : Infinity))
        .sort((a, b) => Number(a.isTaken) - Number(b.isTaken) || a.cost - b.cost);
      if (best === undefined || isCovered(one)) continue;
      left.delete(one);
      free.delete(best.other);
      yield* compare(...pairOf(best.other));
    }
    for (const one of [...removed, ...added]) {
      const isNew = added.has(one);
      const level = levelOf(place.side, isCovered(one) ? "none" : sense, isNew ? "loosened" : "tightened");
      const isLost = !isNew && place.side !== "request" && !one.saysNothing;
      const message = `alternative ${quote(one.name ?? one.schemas.at(-1))} ${isNew ? "added to" : "removed from"} ${partPlaceholder}`;
      yield place.finding(
        spot.isTyped && !isCovered(one) ? highest([level, isLost ? "major" : "minor"]) : level,
        message,
      );
    }
  }
}

/** The alternatives of a schema. As a whole, each has what the schema says next to them; without any, it is its only one. */
function alternativesOf(schema: Conjunction, isWhole: boolean): Conjunction[] {
  if (isWhole && schema.members.length === 0) return [schema];
  return schema.members.map((one) => new Conjunction(isWhole ? [...schema.nodes.map(bare), one] : [one]));
}

/** A keyword that asks for something else. `isKnown`: the type was known. */
function constraintFinding({ place, sense, isTyped }: Spot, change: ConstraintChange, isKnown: boolean): Finding {
  const { keyword, effect, before, after, value } = change;
  const isResponse = place.side === "response";
  const isShown = isTyped && change.isShown;
  const isNull = value?.json === null;
  // At compile time: a response with fewer values was foreseen, but code that names one of the others no longer compiles.
  const isLost = effect === "tightened" && (!isResponse || (isKnown && !isNull));
  const isOpened = effect === "loosened" && (isResponse || (place.side === "export" && !value));
  const isBroken = isShown && (isLost || isOpened || effect === "changed");
  const level = highest([levelOf(place.side, sense, effect), isBroken ? "major" : isShown ? "minor" : "patch"]);
  const verb = effect === "tightened" ? "removed from" : "added to";
  const named = isNull ? quote("null") : `value ${quote(value?.json)}${listOf(place.path)}`;
  const text = value ? `${named} ${verb} ${partPlaceholder}` : changeOf(keyword, before, after, effect);
  const lost = `, so code that ${value ? "names it" : "tells them apart"} no longer compiles`;
  const why = isLost ? lost : value ? ", which existing code does not handle" : "";
  return place.finding(level, isResponse && isBroken ? text + why : text);
}

/** Keywords that say what happens, not which values are right. */
function* behaviorChanges({ place, sense, isThere }: Spot, before: Conjunction, after: Conjunction): Iterable<Finding> {
  for (const [keyword, harmless] of Object.entries({ readOnly: "response", writeOnly: "request" })) {
    const [was, is] = each(before, after, (schema) => schema.values(keyword).includes(true));
    const level = sense === "none" ? "patch" : is && place.side !== harmless ? "major" : "minor";
    if (was !== is)
      yield place.finding(level, `${is ? "became" : "no longer"} ${quote(keyword)} in ${partPlaceholder}`);
  }
  const [was, is] = each(before, after, (schema) => schema.value("default"));
  if (isDeepStrictEqual(was, is)) return;
  // Callers who leave the property out now ask for something else.
  const counts = place.side === "request" && sense === "as is" && !isThere;
  const level = was === undefined ? "minor" : "major";
  yield place.finding(counts ? level : "patch", changeOf("default", was, is), counts ? "review" : undefined);
}

/** Whether no value fits two alternatives. */
function areClear(schema: Conjunction): boolean {
  const all = alternativesOf(schema, false);
  return all.every((one, index) => all.slice(index + 1).every((other) => one.isApart(other)));
}

const costs = { patch: 0, minor: 1, major: 1_000 };

/** How much a change of one alternative into another would break, by their own keywords and their properties'. */
function costOf(side: Side, before: Conjunction, after: Conjunction): number {
  const [own, others] = each(before, after, (schema) => schema.named("properties"));
  const isUnlike = own.size > 0 && others.size > 0 && ![...own.keys()].some((name) => others.has(name));
  if (isUnlike || before.isApart(after)) return Infinity;
  const pairs = both(own, others).map(([, was = [], is = []]) => each(was, is, (all) => new Conjunction(all)));
  const changes = [[before, after] as const, ...pairs].flatMap((pair) => constraintChanges(...pair));
  return changes.reduce((sum, { effect }) => sum + costs[levelOf(side, "as is", effect)], 0);
}

/** Alternatives that only name types or list values, as one schema. */
function folded(schema: Conjunction): Conjunction {
  const isScalar = (one: Json) =>
    new Conjunction([one]).types?.some((type) => /array|object/.test(type)) === false &&
    Object.keys(one).every((key) => ["type", "enum", "const"].includes(key) || isWords(key));
  const all = schema.members.map(asObject);
  if (all.length === 0 || !all.every(isScalar)) return schema;
  const members = all.map((one) => new Conjunction([one]));
  const listed = members.map((one) => one.listed);
  const values = listed.includes(undefined)
    ? {}
    : { enum: listed.flat().map((json) => JSON.parse(String(json)) as unknown) };
  const type = [...new Set(members.flatMap(({ types = [] }) => types))];
  return new Conjunction([...schema.nodes.map(bare), { type, ...values }]);
}

/** Whether `"name" in value` finds another alternative, and from now on one with this property, too. */
function isToldBy(other: Conjunction, name: string, schemas: unknown[] | undefined, presence: Presence): boolean {
  const own = other.named("properties").get(name);
  const isAlike = presence === "optional" && !other.items("required").includes(name) && isDeepStrictEqual(own, schemas);
  return own !== undefined && !isAlike;
}

/** The list of which a place is the items: " of `scopes[]`". */
function listOf(path: string): string {
  const [, items] = /([^.[\]()]+(?:\[\])+)$/.exec(path) ?? [];
  return items === undefined ? "" : ` of ${quote(items)}`;
}

function combinedSense(outer: Sense, inner: Sense): Sense {
  for (const sense of ["none", "both"] as const) if (outer === sense || inner === sense) return sense;
  return outer === inner ? "as is" : "reversed";
}

/** The schemas of lists' items: those that no tuple describes, as "[]", and a tuple's by their positions. */
function* itemsOf(
  schemaBefore: Conjunction,
  schemaAfter: Conjunction,
): Iterable<[step: string, before: unknown[], after: unknown[]]> {
  const [before, after] = each(schemaBefore, schemaAfter, (schema) => {
    const isOldTuple = schema.values("items").some(Array.isArray);
    const rest = schema.values(isOldTuple ? "additionalItems" : "items");
    return { tuple: schema.items(isOldTuple ? "items" : "prefixItems"), rest };
  });
  yield ["[]", before.rest, after.rest];
  const at = ({ tuple, rest }: typeof before, index: number) => (index < tuple.length ? [tuple[index]] : rest);
  for (let index = 0; index < Math.max(before.tuple.length, after.tuple.length); index++)
    yield [`[${index}]`, at(before, index), at(after, index)];
}

/** The schemas under keywords that ask something of a value, or of parts of it that have no names. */
function* partsOf(
  before: Conjunction,
  after: Conjunction,
): Iterable<[keyword: string, step: string, before: unknown[], after: unknown[]]> {
  for (const [keyword, kind] of fields) {
    const [all, others] = each(before, after, (schema) => schema.values(keyword));
    if (kind === "schema{}" && keyword !== "properties") {
      for (const [name, one = [], other = []] of both(before.named(keyword), after.named(keyword)))
        if (senses[keyword] !== "none" || (one.length > 0 && other.length > 0))
          yield [keyword, `${keyword} ${name}`, one, other];
    } else if (["not", "if", "then", "else", "contains"].includes(keyword)) {
      // Two of them, in two nodes, are not the same as one that says it all.
      const { pairs, removed, added } = paired(all, others, [isDeepStrictEqual, () => true]);
      for (const [one, other] of pairs) yield [keyword, keyword, [one], [other]];
      // A condition counts by its consequences.
      if (keyword === "if") continue;
      for (const one of removed) yield [keyword, keyword, [one], []];
      for (const one of added) yield [keyword, keyword, [], [one]];
    } else if (kind === "schema" && !["items", "additionalItems"].includes(keyword))
      yield [keyword, keyword, all, others];
  }
}

/** Whether a schema under a keyword allows every value; or no value, if `isClosed`. */
function asksNothing(keyword: string, schema: unknown, isClosed = false): boolean {
  const isOpen = schema === true || (isObject(schema) && Object.keys(schema).every(isWords));
  if (isClosed === (keyword === "not")) return isOpen && keyword !== "contains";
  return schema === false;
}
