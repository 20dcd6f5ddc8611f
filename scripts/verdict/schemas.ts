import { isDeepStrictEqual } from "node:util";
import { type Json, unordered } from "../spec/json.js";
import { alternativesOf, areClear, folded, isCovered, absorbs, pairAlternatives } from "./alternatives.js";
import { Conjunction } from "./conjunction.js";
import {
  type Finding,
  type Place,
  type Presence,
  type Side,
  changeOf,
  highest,
  mapBoth,
  member,
  partPlaceholder,
  quote,
} from "./findings.js";
import {
  type ConstraintChange,
  type Sense,
  constraintChanges,
  constraintKeywords,
  levelOf,
  sharedKeywords,
} from "./keywords.js";
import { type Part, allowedBy, partsOf, schemaKeywords } from "./parts.js";

/** The place of a pair of schemas, and how it counts there. */
interface Spot {
  place: Place;
  sense: Sense;
  /** Whether TypeScript's types show it. */
  isTyped: boolean;
  /** Whether there is always a value. */
  isThere: boolean;
  /** The other alternatives before the change: code may tell them apart by a property. */
  siblings: Conjunction[];
  /** The sides that use an exported type; undefined for the place's own side. */
  uses?: ReadonlySet<Side> | undefined;
}

const senses: Record<string, Sense> = { not: "reversed", if: "both" };
const typedKeywords = ["items", "additionalProperties", "patternProperties"];
/** Keywords that are walked, or that have a rule. */
const covered = new Set([
  ...constraintKeywords,
  ..."default readOnly writeOnly $ref".split(" "),
  ...schemaKeywords.map(([keyword]) => keyword),
]);

/** Compares pairs of schemas, and all schemas in them. */
export class SchemaComparison {
  /** The schemas in `components` that both specs have in one place, with the sides of such places. */
  readonly #visited = new Map<string, Set<Side>>();
  /** Those of them that the types of such a place show. */
  readonly shown = new Set<string>();
  /** The pairs that were visited in the present part: the walk of a recursive schema ends at them. */
  readonly #pairs = new Set<string>();
  readonly #ids = new Map<object, number>();
  #walked = 0;

  /**
   * The findings of one part, or of an exported schema; only those about its type if its values were compared in a part.
   * `isThere`: the part has to be sent. `others`: the schemas that code may tell it from by a property.
   *
   * Each part starts afresh, so that every place is named. With many references that would take minutes, hence the limit.
   */
  part(place: Place, before: unknown, after: unknown, isThere = false, others: unknown[] = []): Finding[] {
    if (this.#walked < 20_000) this.#pairs.clear();
    const uses = place.side === "export" ? this.#visited.get(place.subject) : undefined;
    const siblings = others.map((one) => new Conjunction([one]));
    const spot: Spot = { place, sense: uses ? "none" : "as is", isTyped: true, isThere, siblings, uses };
    return this.#pair(spot, [before], [after]).filter(({ level }) => !uses || level !== "patch");
  }

  #idOf(one: object): number {
    if (!this.#ids.has(one)) this.#ids.set(one, this.#ids.size);
    return this.#ids.get(one) ?? 0;
  }

  #pair(spot: Spot, schemasBefore: readonly unknown[], schemasAfter: readonly unknown[]): Finding[] {
    const [before, after] = mapBoth(schemasBefore, schemasAfter, (all) => new Conjunction(all));
    const { place, sense, isTyped, isThere } = spot;
    for (const name of before.names.filter((one) => after.names.includes(one))) {
      if (place.side !== "export") this.#visited.set(name, (this.#visited.get(name) ?? new Set()).add(place.side));
      if (isTyped && [before, after].every(({ whole }) => whole.includes(name))) this.shown.add(name);
    }
    const ids = mapBoth(before, after, ({ nodes }) => nodes.map((one) => this.#idOf(one)));
    const pair = JSON.stringify([place.side, sense, isTyped, isThere, ids]);
    if (this.#pairs.has(pair)) return [];
    this.#pairs.add(pair);
    this.#walked++;

    const differ = (one: Conjunction, other: Conjunction) =>
      (one.members.length === 0) !== (other.members.length === 0);
    const [was, is] = differ(before, after) ? mapBoth(before, after, folded) : [before, after];
    const isWrapped = differ(was, is);
    const found = isWrapped ? [] : [...this.#nodes(spot, was, is)];
    found.push(...this.#alternatives(spot, ...mapBoth(was, is, (schema) => alternativesOf(schema, isWrapped))));
    found.push(...place.rest(before.ignored, after.ignored));
    if (found.length === 0 && unordered(before.nodes) !== unordered(after.nodes))
      found.push(place.finding("patch", `rewritten with the same meaning in ${partPlaceholder}`));
    else if (isWrapped && found.some(({ level }) => level !== "patch") && !(areClear(was) && areClear(is))) {
      const message = `alternatives changed in ${partPlaceholder}: types do not show which of them exclude each other`;
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
    yield* place.rest(...mapBoth(before, after, texts));
    const [from, to] = mapBoth(before, after, (one) => ["oneOf", "anyOf"].find((key) => one.items(key).length > 0));
    if (from !== to && from && to && !areClear(before)) {
      const message = `${quote(from)} became ${quote(to)} in ${partPlaceholder}, of alternatives that may not exclude each other`;
      yield place.finding(levelOf(place.side, sense, to === "oneOf" ? "tightened" : "loosened"), message, "review");
    }
    // A schema without constraints allows everything that a type does.
    const isOpened = (one: Conjunction, other: Conjunction) => one.allowsEverything && other.types !== undefined;
    if (isOpened(before, after) || isOpened(after, before)) return;
    const isShared = sharedKeywords(before, after);
    const areObjects = isShared("properties");
    if (areObjects) yield* this.#properties(spot, before, after);
    const isIndexed = areObjects && isTyped && before.hasIndex !== after.hasIndex;
    if (isIndexed) {
      const [was, is] = mapBoth(before, after, (schema) => schema.values("additionalProperties"));
      const isTighter = !was.includes(false) && is.some((one) => allowedBy("additionalProperties", one) !== "all");
      const level = isTighter ? highest(["minor", levelOf(place.side, sense, "tightened")]) : "minor";
      const verb = after.hasIndex ? "added to" : "removed from";
      yield place.below("*").finding(after.hasIndex ? level : "major", `further properties ${verb} ${partPlaceholder}`);
    }
    for (const part of partsOf(before, after))
      if (isShared(part.keyword) && (!isIndexed || part.keyword !== "additionalProperties"))
        yield* this.#part(spot, part);
  }

  *#part(spot: Spot, { keyword, name, step, before, after }: Part): Iterable<Finding> {
    const place = spot.place.below(step);
    const [was, is] = mapBoth(before, after, (all) => ({
      asked: all.filter((one) => allowedBy(keyword, one) !== "all"),
      isClosed: all.some((one) => allowedBy(keyword, one) === "none"),
    }));
    const [asksBefore, asksAfter] = [was.asked.length > 0, is.asked.length > 0];
    if ((!asksBefore && !asksAfter) || (was.isClosed && is.isClosed)) return;
    if ((keyword === "items" || (asksBefore && asksAfter)) && was.isClosed === is.isClosed) {
      const sense = combinedSense(spot.sense, senses[keyword] ?? "as is");
      const isTyped = spot.isTyped && typedKeywords.includes(keyword);
      const inner = { ...spot, place, sense, isTyped, isThere: true, siblings: [] };
      return yield* this.#pair(inner, was.asked, is.asked);
    }
    // A condition counts by its consequences.
    if (keyword === "if") return;
    const effect = !asksBefore || is.isClosed ? "tightened" : "loosened";
    // A reader meets properties that a closed object now allows as additions.
    const isAddition = keyword.endsWith("Properties") && was.isClosed;
    const isMinor = isAddition && spot.sense === "as is";
    const level = isMinor ? "minor" : levelOf(place.side, spot.sense, effect);
    // Code that reads an item of a tuple no longer compiles if the tuple ends before it.
    const isLost = is.isClosed && spot.isTyped && place.side !== "request" && /items$/i.test(keyword);
    yield spot.place.finding(isLost ? "major" : level, changeOf(name, was.asked[0], is.asked[0], effect));
  }

  *#properties(spot: Spot, schemaBefore: Conjunction, schemaAfter: Conjunction): Iterable<Finding> {
    const { sense, isTyped, siblings } = spot;
    const [was, is] = mapBoth(schemaBefore, schemaAfter, (schema) => ({
      required: new Set(schema.items("required").map(String)),
      described: schema.named("properties"),
    }));
    for (const name of new Set([was, is].flatMap(({ required, described }) => [...described.keys(), ...required]))) {
      const place = spot.place.below(member(name));
      const named = `property ${quote(name)}`;
      const [before, after] = mapBoth(was, is, ({ described }) => described.get(name));
      const isSaid = (keyword: string, schemas: unknown[]) => new Conjunction(schemas).values(keyword).includes(true);
      // What the other side alone may write is never missing.
      const oneWay = { request: "readOnly", response: "writeOnly", export: "" }[place.side];
      const all = [before, after].filter((schemas) => schemas !== undefined);
      const isLeftOut = all.length > 0 && all.every((schemas) => isSaid(oneWay, schemas));
      const [from, to] = mapBoth(was, is, ({ required, described }): Presence => {
        if (required.has(name) && !isLeftOut) return "required";
        return described.get(name)?.includes(false) === false ? "optional" : undefined;
      });
      if (isTyped && (from ?? to)) {
        const isTaken = place.side !== "request" && !from && siblings.some((one) => one.named("properties").has(name));
        const why = `${named} added to ${partPlaceholder}, by which code could tell it from others`;
        yield* isTaken ? [place.finding("major", why)] : place.presence(named, from, to, spot.uses);
        if (!before || !after) continue;
      }
      const [wasReadOnly, isReadOnly] = mapBoth(before, after, (all = []) => isSaid("readOnly", all));
      if (place.side === "request" && sense === "as is" && to === "required" && wasReadOnly && !isReadOnly)
        yield place.finding("major", `has to be sent from now on in ${partPlaceholder}`);
      const isThere = from === "required" && to === "required";
      yield* this.#pair({ ...spot, place, isThere, siblings: [] }, before ?? [], after ?? []);
    }
  }

  *#alternatives(spot: Spot, before: Conjunction[], after: Conjunction[]): Iterable<Finding> {
    const { place, sense, isTyped } = spot;
    const isRequest = (place.side === "response") === (sense === "reversed");
    const { pairs, removed, added } = pairAlternatives(before, after, isRequest);
    for (const [was, is] of pairs) {
      const [named, all] = before.length > 1 ? [was, before] : [is, after];
      const here = place.below(`(${named.name ?? all.indexOf(named) + 1})`);
      const siblings = [...spot.siblings, ...before.filter((sibling) => sibling !== was)];
      const isHidden = (allows?: typeof absorbs) => isCovered(was, before, allows) && isCovered(is, after, allows);
      const counts = !isHidden();
      const inner: Spot = { ...spot, place: here, siblings, sense: counts ? sense : "none" };
      inner.isTyped &&= counts && !isHidden(absorbs);
      yield* this.#pair(inner, was.schemas, is.schemas);
    }
    for (const one of [...removed, ...added]) {
      const isNew = added.has(one);
      const all = isNew ? after : before;
      const counts = !isCovered(one, all);
      const isShown = isTyped && counts && !isCovered(one, all, absorbs);
      const level = levelOf(place.side, counts ? sense : "none", isNew ? "loosened" : "tightened");
      const isLost = !isNew && !one.allowsEverything && one.types?.join() !== "null";
      const message = `alternative ${quote(one.name ?? one.schemas.at(-1))} ${isNew ? "added to" : "removed from"} ${partPlaceholder}`;
      yield place.finding(isShown ? highest([level, isLost ? "major" : "minor"]) : level, message);
    }
  }
}

/** The finding for a changed keyword. `isKnown`: the type was known. */
function constraintFinding({ place, sense, isTyped }: Spot, change: ConstraintChange, isKnown: boolean): Finding {
  const { keyword, effect, before, after, value } = change;
  const isResponse = place.side === "response";
  const isShown = isTyped && change.isShown;
  const isNull = value?.json === null;
  // At compile time: code handles a response with fewer values, but code that names one of the others no longer compiles.
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

/** Changes of the keywords that describe behavior, not values. */
function* behaviorChanges({ place, sense, isThere }: Spot, before: Conjunction, after: Conjunction): Iterable<Finding> {
  for (const [keyword, harmless] of Object.entries({ readOnly: "response", writeOnly: "request" })) {
    const [was, is] = mapBoth(before, after, (schema) => schema.values(keyword).includes(true));
    const level = sense === "none" ? "patch" : is && place.side !== harmless ? "major" : "minor";
    if (was !== is)
      yield place.finding(level, `${is ? "became" : "no longer"} ${quote(keyword)} in ${partPlaceholder}`);
  }
  const [was, is] = mapBoth(before, after, (schema) => schema.value("default"));
  if (isDeepStrictEqual(was, is)) return;
  // Callers who leave the property out now request something else.
  const counts = place.side === "request" && sense === "as is" && !isThere;
  const level = was === undefined ? "minor" : "major";
  yield place.finding(counts ? level : "patch", changeOf("default", was, is), counts ? "review" : undefined);
}

/** The list whose items are at a place: " of `scopes[]`". */
function listOf(path: string): string {
  const [, items] = /([^.[\]()]+(?:\[\])+)$/.exec(path) ?? [];
  return items === undefined ? "" : ` of ${quote(items)}`;
}

function combinedSense(outer: Sense, inner: Sense): Sense {
  for (const sense of ["none", "both"] as const) if (outer === sense || inner === sense) return sense;
  return outer === inner ? "as is" : "reversed";
}
