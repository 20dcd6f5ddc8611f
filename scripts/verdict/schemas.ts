import { isDeepStrictEqual } from "node:util";
import { type Json, isObject, asObject } from "../spec/json.js";
import { fieldsOf } from "../spec/walk.js";
import {
  type Finding,
  type Place,
  type Presence,
  type Side,
  below,
  both,
  changeOf,
  each,
  finding,
  highest,
  isWords,
  member,
  paired,
  partPlaceholder,
  pathText,
  presenceChange,
  quote,
  restOf,
  unordered,
} from "./findings.js";
import {
  type ConstraintChange,
  type Sense,
  areApart,
  combined,
  constraintChanges,
  constraintKeywords,
  haveOtherTypes,
  isPlain,
  levelOf,
  typesOf,
  valuesOf,
} from "./keywords.js";
import {
  type Conjunction,
  arrays,
  asksNothing,
  bare,
  conjunction,
  hasIndex,
  itemsOf,
  nameOf,
  namedSchemas,
  values,
} from "./nodes.js";

/** Where a pair of schemas is, and how it counts there. */
interface Spot {
  place: Place;
  sense: Sense;
  /** Whether TypeScript's types show it. */
  isTyped: boolean;
  /** Whether there always is a value. */
  isThere: boolean;
  /** The nodes of each other alternative that there was: code may tell them apart by a property. */
  siblings: Json[][];
}

type Schemas = unknown[];

const fields = [...fieldsOf("schema")];
const senses: Record<string, Sense> = { not: "reversed", if: "both", $defs: "none", definitions: "none" };
const typedKeywords = ["items", "additionalProperties", "patternProperties"];
/** Keywords that are walked, or that have a rule. */
const covered = new Set([
  ...constraintKeywords,
  ..."default readOnly writeOnly $ref discriminator".split(" "),
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
  part(place: Place, before: unknown, after: unknown, isThere = false, others: Schemas = []): Finding[] {
    const siblings = others.map((one) => conjunction([one]).nodes);
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

  #schemas(spot: Spot, schemasBefore: Schemas, schemasAfter: Schemas): Finding[] {
    const { place, sense, isTyped, isThere } = spot;
    let [before, after] = each(schemasBefore, schemasAfter, conjunction);
    for (const name of before.names.filter((one) => after.names.includes(one))) {
      const isShown = isTyped && [before, after].every(({ whole }) => whole.includes(name));
      this.met.set(name, { isShown: isShown || this.met.get(name)?.isShown === true });
    }
    const ids = each(before, after, ({ nodes }) => nodes.map((one) => this.#idOf(one)));
    const pair = JSON.stringify([place.side, sense, isTyped, isThere, ids]);
    if (this.#pairs.has(pair)) return [];
    this.#pairs.add(pair);
    this.#walked++;

    const differ = (): boolean => (before.alternatives.length === 0) !== (after.alternatives.length === 0);
    if (differ()) [before, after] = each(before, after, folded);
    const isWrapped = differ();
    const found = [...(isWrapped ? this.#wrapped(spot, before, after) : this.#conjunctions(spot, before, after))];
    found.push(...restOf(place, before.ignored, after.ignored));
    if (found.length === 0 && unordered(before.nodes) !== unordered(after.nodes))
      found.push(finding("patch", place, `rewritten with the same meaning in ${partPlaceholder}`));
    else if (isWrapped && found.some(({ level }) => level !== "patch") && !(areClear(before) && areClear(after))) {
      const message = `other alternatives in ${partPlaceholder}: types do not tell which of them exclude each other`;
      found.push(finding("patch", place, message, "review"));
    }
    return found;
  }

  *#conjunctions(spot: Spot, before: Conjunction, after: Conjunction): Iterable<Finding> {
    const { place, sense } = spot;
    yield* this.#nodes(spot, before.nodes, after.nodes);
    const [from, to] = each(before, after, ({ nodes }) =>
      ["oneOf", "anyOf"].find((key) => arrays(nodes, key).length > 0),
    );
    if (from !== to && !areClear(before)) {
      const message = `${quote(from)} became ${quote(to)} in ${partPlaceholder}, of alternatives that may not exclude each other`;
      yield finding(levelOf(place.side, sense, to === "oneOf" ? "tightened" : "loosened"), place, message, "review");
    }
    const [one, other] = each(before, after, ({ alternatives }) => alternatives.map((schema) => [schema]));
    yield* this.#alternatives(spot, one, other);
  }

  /** A schema without alternatives, which is the only one on its side and goes with each on the other. */
  #wrapped(spot: Spot, before: Conjunction, after: Conjunction): Iterable<Finding> {
    // Keywords next to alternatives hold for each of them.
    const whole = ({ nodes, alternatives }: Conjunction): Schemas[] =>
      alternatives.length === 0 ? [nodes] : alternatives.map((one) => [...nodes.map(bare), one]);
    return this.#alternatives(spot, ...each(before, after, whole), true);
  }

  /** The keywords of two schemas, and the schemas below them. */
  *#nodes(spot: Spot, before: Json[], after: Json[]): Iterable<Finding> {
    const { place, isTyped } = spot;
    for (const change of constraintChanges(before, after))
      if (!isTyped || change.keyword !== "required")
        yield constraintFinding(spot, change, typesOf(before) !== undefined);
    const keys = [...new Set([...before, ...after].flatMap(Object.keys))].filter((key) => !covered.has(key));
    const texts = (nodes: Json[]): Json => Object.fromEntries(keys.map((key) => [key, combined(nodes, key)]));
    yield* behaviorChanges(spot, before, after);
    yield* restOf(place, ...each(before, after, texts));
    // Keywords of lists say nothing of objects, and a schema that says nothing allows all that a type does.
    const isOpened = (nodes: Json[], others: Json[]) => saysNothing(nodes) && typesOf(others) !== undefined;
    if (haveOtherTypes(before, after) || isOpened(before, after) || isOpened(after, before)) return;
    yield* this.#properties(spot, before, after);
    for (const [step, one, other] of itemsOf(before, after))
      yield* this.#below(spot, "items", "items", one, other, below(place, step));
    const [wasOpen, isOpen] = each(before, after, hasIndex);
    const isIndexed = isTyped && wasOpen !== isOpen;
    if (isIndexed) {
      const others = values(after, "additionalProperties").some((one) => !asksNothing("additionalProperties", one));
      const isTighter = others && !values(before, "additionalProperties").includes(false);
      const level = isTighter ? highest(["minor", levelOf(place.side, spot.sense, "tightened")]) : "minor";
      const verb = isOpen ? "added to" : "removed from";
      yield finding(isOpen ? level : "major", below(place, "*"), `further properties ${verb} ${partPlaceholder}`);
    }
    for (const [keyword, step, one, other] of partsOf(before, after)) {
      if (isIndexed && keyword === "additionalProperties") continue;
      const here = below(place, step === "additionalProperties" ? "*" : `(${step})`);
      yield* this.#below(spot, keyword, step, one, other, here);
    }
  }

  /** A keyword that holds a schema for a value, or for a part of it. */
  *#below(spot: Spot, keyword: string, step: string, all: Schemas, others: Schemas, place: Place): Iterable<Finding> {
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
    const isMinor = isAddition && spot.place.side === "response" && spot.sense === "as is";
    const level = isMinor ? "minor" : levelOf(spot.place.side, spot.sense, effect);
    const isMap = keyword === "additionalProperties" && [...before, ...after].some(isObject);
    yield finding(level, isMap ? place : spot.place, changeOf(step, before[0], after[0], effect));
  }

  *#properties(spot: Spot, nodesBefore: Json[], nodesAfter: Json[]): Iterable<Finding> {
    const { place, sense, isTyped, siblings } = spot;
    const [was, is] = each(nodesBefore, nodesAfter, (nodes) => ({
      required: new Set(arrays(nodes, "required").map(String)),
      described: namedSchemas(nodes, "properties"),
    }));
    for (const name of new Set([was, is].flatMap(({ required, described }) => [...described.keys(), ...required]))) {
      const here = below(place, member(name));
      const named = `property ${quote(name)}`;
      const [before, after] = each(was, is, ({ described }) => described.get(name));
      const [from, to] = each(was, is, ({ required, described }): Presence => {
        if (required.has(name)) return "required";
        return described.get(name)?.includes(false) === false ? "optional" : undefined;
      });
      if (isTyped && (from ?? to)) {
        const isTaken = place.side !== "request" && !from && siblings.some((nodes) => isToldBy(nodes, name, after, to));
        if (isTaken)
          yield finding("major", here, `${named} added to ${partPlaceholder}, by which code could tell it from others`);
        else yield* presenceChange(here, named, from, to);
      } else if (!before !== !after && !(before ?? after ?? []).every((one) => asksNothing("properties", one))) {
        const message = `${named} ${after ? "added to" : "removed from"} ${partPlaceholder}`;
        yield finding(levelOf(place.side, sense, after ? "tightened" : "loosened"), here, message);
      }
      if (!before || !after) continue;
      const [wasReadOnly, isReadOnly] = each(before, after, (all) =>
        values(conjunction(all).nodes, "readOnly").includes(true),
      );
      if (place.side === "request" && sense === "as is" && to === "required" && wasReadOnly && !isReadOnly)
        yield finding("major", here, `has to be sent from now on in ${partPlaceholder}`);
      const isThere = from === "required" && to === "required";
      yield* this.#schemas({ ...spot, place: here, isThere, siblings: [] }, before, after);
    }
  }

  /**
   * Pairs alternatives by name, then equal ones, then each with the one that it fits best: each old one of a request must
   * still find one, each new one of a response must have had one. An alternative of which another one allows all does not count.
   */
  *#alternatives(spot: Spot, before: Schemas[], after: Schemas[], isWrapped = false): Iterable<Finding> {
    const { place, sense } = spot;
    const nodes = new Map([...before, ...after].map((one) => [one, conjunction(one).nodes]));
    const sideOf = (one: Schemas) => (before.includes(one) ? before : after);
    const othersOf = (one: Schemas) =>
      sideOf(one)
        .filter((other) => other !== one)
        .map((other) => nodes.get(other) ?? []);
    const isCovered = (one: Schemas) =>
      !isWrapped && othersOf(one).some((other) => isPlain(other, nodes.get(one) ?? []));
    const stepOf = (one: Schemas): string => nameOf(one.at(-1)) ?? String(sideOf(one).indexOf(one) + 1);
    const compare = (one: Schemas, other: Schemas): Finding[] => {
      const here = below(place, `(${stepOf(isWrapped && before.length === 1 ? other : one)})`);
      const siblings = [...spot.siblings, ...othersOf(one)];
      const covered: Partial<Spot> = isCovered(one) && isCovered(other) ? { sense: "none", isTyped: false } : {};
      return this.#schemas({ ...spot, place: here, siblings, ...covered }, one, other);
    };
    const rules = [
      ([one]: Schemas, [other]: Schemas) => nameOf(one) !== undefined && nameOf(one) === nameOf(other),
      isDeepStrictEqual,
    ];
    const { pairs, removed, added } = paired(before, after, isWrapped ? [] : rules);
    for (const pair of pairs) yield* compare(...pair);

    const isResponse = (place.side === "response") !== (sense === "reversed");
    const [left, free, all] = isResponse ? [added, removed, before] : [removed, added, after];
    const taken = isWrapped ? [] : all.filter((one) => !free.has(one));
    for (const one of left) {
      const pairOf = (other: Schemas) => (isResponse ? [other, one] : [one, other]) as [Schemas, Schemas];
      const [best] = all
        .map((other) => ({ other, isTaken: taken.includes(other), cost: costOf(place.side, ...pairOf(other)) }))
        .filter(({ isTaken, cost }) => cost < (isTaken ? costs.major : Infinity))
        .sort((a, b) => Number(a.isTaken) - Number(b.isTaken) || a.cost - b.cost);
      if (best === undefined) continue;
      left.delete(one);
      free.delete(best.other);
      if (!isWrapped) taken.push(best.other);
      yield* compare(...pairOf(best.other));
    }
    for (const one of [...removed, ...added]) {
      const isNew = added.has(one);
      const level = levelOf(place.side, isCovered(one) ? "none" : sense, isNew ? "loosened" : "tightened");
      const shown = !isNew && place.side !== "request" ? "major" : "minor";
      const named = nameOf(one.at(-1)) ?? one.at(-1);
      const message = `alternative ${quote(named)} ${isNew ? "added to" : "removed from"} ${partPlaceholder}`;
      yield finding(spot.isTyped && !isCovered(one) ? highest([level, shown]) : level, place, message);
    }
  }
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
  return finding(level, place, isResponse && isBroken ? text + why : text);
}

/** Keywords that say what happens, not which values are right. */
function* behaviorChanges({ place, sense, isThere }: Spot, before: Json[], after: Json[]): Iterable<Finding> {
  for (const [keyword, harmless] of Object.entries({ readOnly: "response", writeOnly: "request" })) {
    const [was, is] = each(before, after, (nodes) => values(nodes, keyword).includes(true));
    const level = sense === "none" ? "patch" : is && place.side !== harmless ? "major" : "minor";
    if (was !== is)
      yield finding(level, place, `${is ? "became" : "no longer"} ${quote(keyword)} in ${partPlaceholder}`);
  }
  const [was, is] = each(before, after, (nodes) => combined(nodes, "default"));
  if (isDeepStrictEqual(was, is)) return;
  // Callers who leave the property out now ask for something else.
  const counts = place.side === "request" && sense === "as is" && !isThere;
  const level = was === undefined ? "minor" : "major";
  yield finding(counts ? level : "patch", place, changeOf("default", was, is), counts ? "review" : undefined);
}

/** Whether no value fits two alternatives. */
function areClear({ alternatives }: Conjunction): boolean {
  const all = alternatives.map((one) => conjunction([one]).nodes);
  return all.every((one, index) => all.slice(index + 1).every((other) => areApart(one, other)));
}

const costs = { patch: 0, minor: 1, major: 1_000 };

/** How much a change of one alternative into another would break, by their own keywords and their properties'. */
function costOf(side: Side, before: Schemas, after: Schemas): number {
  const [one, other] = each(before, after, (all) => conjunction(all).nodes);
  const [own, others] = each(one, other, (nodes) => namedSchemas(nodes, "properties"));
  const isUnlike = own.size > 0 && others.size > 0 && ![...own.keys()].some((name) => others.has(name));
  if (isUnlike || areApart(one, other)) return Infinity;
  const pairs = both(own, others).map(([, was = [], is = []]) => each(was, is, (all) => conjunction(all).nodes));
  const changes = [[one, other] as const, ...pairs].flatMap((pair) => constraintChanges(...pair));
  return changes.reduce((sum, { effect }) => sum + costs[levelOf(side, "as is", effect)], 0);
}

/** Alternatives that only name types or list values, as one schema. */
function folded(given: Conjunction): Conjunction {
  const all = given.alternatives.map(asObject);
  const isScalar = (one: Json) =>
    typesOf([one])?.some((type) => /array|object/.test(type)) === false &&
    Object.keys(one).every((key) => ["type", "enum", "const"].includes(key) || isWords(key));
  if (all.length === 0 || !all.every(isScalar)) return given;
  const listed = all.map((one) => valuesOf([one]));
  const values = listed.includes(undefined)
    ? {}
    : { enum: listed.flat().map((json) => JSON.parse(String(json)) as unknown) };
  const type = [...new Set(all.flatMap((one) => typesOf([one]) ?? []))];
  return { ...given, nodes: [...given.nodes, { type, ...values }], alternatives: [] };
}

/** Whether any value is right. */
function saysNothing(nodes: Json[]): boolean {
  return nodes.every((node) => Object.keys(node).every((key) => key === "nullable" || isWords(key)));
}

/** Whether `"name" in value` finds another alternative, and from now on one with this property, too. */
function isToldBy(nodes: Json[], name: string, schemas: Schemas | undefined, presence: Presence): boolean {
  const own = namedSchemas(nodes, "properties").get(name);
  const isAlike =
    presence === "optional" && !arrays(nodes, "required").includes(name) && isDeepStrictEqual(own, schemas);
  return own !== undefined && !isAlike;
}

/** The list of which a place is the items: " of `scopes[]`". */
function listOf(path: readonly string[]): string {
  const [, items] = /([^.[\]()]+(?:\[\])+)$/.exec(pathText(path)) ?? [];
  return items === undefined ? "" : ` of ${quote(items)}`;
}

function combinedSense(outer: Sense, inner: Sense): Sense {
  for (const sense of ["none", "both"] as const) if (outer === sense || inner === sense) return sense;
  return outer === inner ? "as is" : "reversed";
}

/** The schemas under keywords that ask something of a value, or of parts of it that have no names. */
function* partsOf(before: Json[], after: Json[]): Iterable<[string, step: string, before: Schemas, after: Schemas]> {
  const keys = new Set([...before, ...after].flatMap(Object.keys));
  for (const [keyword, kind] of fields) {
    if (!keys.has(keyword)) continue;
    const [all, others] = each(before, after, (nodes) => values(nodes, keyword));
    if (kind === "schema{}" && keyword !== "properties") {
      for (const [name, one = [], other = []] of both(namedSchemas(before, keyword), namedSchemas(after, keyword)))
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
