import { isDeepStrictEqual } from "node:util";
import { enumKeys } from "../generate/constants.js";
import { type Json, type OpenApi, isObject } from "../spec/json.js";
import { fieldsOf } from "../spec/walk.js";
import { type Effect, type Sense, areApart, combined, constraintChanges, constraintKeywords } from "./constraints.js";
import { haveOtherTypes, isPlain, levelOf } from "./constraints.js";
import {
  type Finding,
  type Place,
  type Side,
  MetPairs,
  below,
  both,
  changeOf,
  each,
  finding,
  member,
} from "./findings.js";
import { paired, quote, thePart } from "./findings.js";
import { type Conjunction, arrays, asksNothing, bare, conjunction, itemsOf, nameOf } from "./nodes.js";
import { namedSchemas, shape, values } from "./nodes.js";
import { restOf } from "./texts.js";

/** Where a pair of schemas is, and how it counts there. */
interface Spot {
  place: Place;
  sense: Sense;
  /** Whether TypeScript has a type for this place. */
  isTyped: boolean;
  /** Whether there always is a value. */
  isThere: boolean;
  met: MetPairs;
}

type Schemas = unknown[];

const fields = [...fieldsOf("schema")];
const senses: Record<string, Sense> = { not: "reversed", if: "both", $defs: "none", definitions: "none" };
/** Keywords that are told of in their own right wherever they change. */
const behaviour = ["default", "readOnly", "writeOnly"];
/** Keywords that are walked, that have a rule, or that only TypeScript's types show. */
const covered = new Set([
  ...constraintKeywords,
  ...behaviour,
  "$ref",
  "required",
  "discriminator",
  ...fields.flatMap(([keyword, kind]) => (kind.startsWith("schema") ? [keyword] : [])),
]);
const costs = { patch: 0, minor: 1, major: 1_000 };

/** Walks pairs of schemas through every place at which a schema can be, and tells what their data allow otherwise. */
export class SchemaComparison {
  /** The schemas in `components` of which the old one was compared with the new one, and for which sides. */
  readonly compared = new Map<string, Set<Side>>();
  readonly #old: OpenApi;
  readonly #new: OpenApi;
  readonly #met = new MetPairs();
  /** How many more pairs may be compared to see which alternatives fit best, so that it ends soon. */
  #left = 20_000;

  constructor(oldSpec: OpenApi, newSpec: OpenApi) {
    this.#old = oldSpec;
    this.#new = newSpec;
  }

  /** The findings of one part. `isThere`: it has to be sent. */
  part(place: Place, before: unknown, after: unknown, isThere = false): Finding[] {
    this.#met.startPart();
    return this.#schemas({ place, sense: "as is", isTyped: true, isThere, met: this.#met }, [before], [after]);
  }

  #schemas(spot: Spot, before: Schemas, after: Schemas): Finding[] {
    const { place, met } = spot;
    if (met !== this.#met && this.#left-- <= 0) return [];
    const [old, now] = [conjunction(this.#old, before), conjunction(this.#new, after)];
    for (const name of old.names.filter((one) => now.names.includes(one)))
      this.compared.set(name, (this.compared.get(name) ?? new Set()).add(place.side));
    if (met.meets([place.side, spot.sense, spot.isTyped, spot.isThere].join(), old.nodes, now.nodes)) return [];

    const isWrapped = (old.alternatives.length === 0) !== (now.alternatives.length === 0);
    const found = [...(isWrapped ? this.#wrapped(spot, old, now) : this.#conjunctions(spot, old, now))];
    found.push(...restOf(place, old.ignored, now.ignored));
    const isToldApart = (keyword: string) => !covered.has(keyword) || behaviour.includes(keyword);
    if (shape(old, isToldApart) === shape(now, isToldApart)) return found;
    if (found.every(({ level, mark }) => level === "patch" && (mark === undefined || mark === "words")))
      found.push(finding("patch", place, `put in other words in ${thePart}, with the same types`, "words"));
    else if (isWrapped) {
      const message = `other alternatives in ${thePart}: types do not tell which of them exclude each other`;
      found.push(finding("patch", place, message, "review"));
    }
    return found;
  }

  *#conjunctions(spot: Spot, old: Conjunction, now: Conjunction): Iterable<Finding> {
    const { place, sense } = spot;
    yield* this.#nodes(spot, old.nodes, now.nodes);
    const [from, to] = [old, now].map(({ nodes }) => ["oneOf", "anyOf"].find((key) => arrays(nodes, key).length > 0));
    const members = old.alternatives.map((one) => conjunction(this.#old, [one]).nodes);
    const isClear = members.every((one, index) => members.slice(index + 1).every((other) => areApart(one, other)));
    if (from !== to && !isClear) {
      const message = `${quote(from)} became ${quote(to)} in ${thePart}, of alternatives that may not exclude each other`;
      yield finding(levelOf(place.side, sense, to === "oneOf" ? "tightened" : "loosened"), place, message, "review");
    }
    yield* this.#alternatives(spot, ...each(old, now, ({ alternatives }) => alternatives.map((one) => [one])));
  }

  /** A schema without alternatives, which is the only one on its side and goes with each on the other. */
  #wrapped(spot: Spot, old: Conjunction, now: Conjunction): Iterable<Finding> {
    // What is said beside alternatives holds for each of them.
    const whole = ({ nodes, alternatives }: Conjunction): Schemas[] =>
      alternatives.length === 0 ? [nodes] : alternatives.map((one) => [...nodes.map(bare), one]);
    return this.#alternatives(spot, whole(old), whole(now), true);
  }

  /** Everything that two schemas say themselves, and what is below. */
  *#nodes(spot: Spot, old: Json[], now: Json[]): Iterable<Finding> {
    const { place, sense } = spot;
    for (const { keyword, effect, before, after } of constraintChanges(old, now))
      yield finding(levelOf(place.side, sense, effect), place, changeOf(keyword, before, after, effect), "value");
    const keys = [...new Set([...old, ...now].flatMap(Object.keys))].filter((key) => !covered.has(key));
    const texts = (nodes: Json[]): Json => Object.fromEntries(keys.map((key) => [key, combined(nodes, key)]));
    yield* this.#constants(place, old, now);
    yield* this.#behaviour(spot, old, now);
    yield* restOf(place, texts(old), texts(now));
    // What lists say says nothing of objects.
    if (haveOtherTypes(old, now)) return;
    yield* this.#properties(spot, old, now);
    for (const [step, before, after] of itemsOf(old, now))
      yield* this.#below(spot, "items", "items", before, after, below(place, step));
    for (const [keyword, step, before, after] of partsOf(old, now)) {
      const here = below(place, step === "additionalProperties" ? "*" : `(${step})`);
      yield* this.#below(spot, keyword, step, before, after, here);
    }
  }

  /** What a keyword asks of a value, or of a part of it, by a schema. */
  *#below(spot: Spot, keyword: string, step: string, before: Schemas, after: Schemas, place: Place): Iterable<Finding> {
    const isTyped = spot.isTyped && ["items", "additionalProperties"].includes(keyword);
    const [old, now] = each(before, after, (all) => all.filter((one) => !asksNothing(keyword, one)));
    const [wasClosed, isClosed] = each(before, after, (all) => all.some((one) => asksNothing(keyword, one, true)));
    if ((old.length === 0 && now.length === 0) || (wasClosed && isClosed)) return;
    if ((keyword === "items" || (old.length > 0 && now.length > 0)) && wasClosed === isClosed) {
      const sense = combinedSense(spot.sense, senses[keyword] ?? "as is");
      yield* this.#schemas({ ...spot, place, sense, isTyped, isThere: keyword === "items" }, old, now);
      return;
    }
    const effect: Effect = old.length === 0 || isClosed ? "tightened" : "loosened";
    // A reader meets properties that a closed object now allows as additions.
    const isAddition = /^(additional|unevaluated)Properties$/.test(keyword) && effect === "loosened";
    const isMinor = isAddition && spot.place.side === "answer" && spot.sense === "as is";
    const level = isMinor ? "minor" : levelOf(spot.place.side, spot.sense, effect);
    const isMap = keyword === "additionalProperties" && [...old, ...now].some(isObject);
    yield finding(level, isMap ? place : spot.place, changeOf(step, old[0], now[0], effect), "value");
  }

  *#properties(spot: Spot, old: Json[], now: Json[]): Iterable<Finding> {
    const { place, sense } = spot;
    const [wasRequired, isRequired] = each(old, now, (nodes) => new Set(arrays(nodes, "required")));
    const side = place.side === "request" ? "request" : "answer";
    for (const name of new Set([...wasRequired, ...isRequired])) {
      if (wasRequired.has(name) === isRequired.has(name)) continue;
      const level = levelOf(side, sense, isRequired.has(name) ? "tightened" : "loosened");
      const message = `is ${isRequired.has(name) ? "now" : "no longer"} required in ${thePart}`;
      yield finding(level, below(place, member(String(name))), message, "member");
    }
    for (const [name, before, after] of both(namedSchemas(old, "properties"), namedSchemas(now, "properties"))) {
      const here = below(place, member(name));
      if (before && after) {
        const isReadOnly = (spec: OpenApi, all: Schemas) =>
          values(conjunction(spec, all).nodes, "readOnly").includes(true);
        const isSent = side === "request" && sense === "as is" && isRequired.has(name);
        if (isSent && isReadOnly(this.#old, before) && !isReadOnly(this.#new, after))
          yield finding("major", here, `has to be sent from now on in ${thePart}`);
        const isThere = wasRequired.has(name) && isRequired.has(name);
        yield* this.#schemas({ ...spot, place: here, isThere }, before, after);
      } else if (spot.isTyped || !(before ?? after ?? []).every((one) => asksNothing("properties", one))) {
        // Where there is a type, others could be sent before, but nobody did.
        const isNew = after !== undefined && spot.isTyped && sense === "as is";
        const level = isNew ? "minor" : levelOf(place.side, sense, after ? "tightened" : "loosened");
        const message = `property ${quote(name)} ${after ? "added to" : "removed from"} ${thePart}`;
        yield finding(level, here, message, "member");
      }
    }
  }

  /**
   * Pairs alternatives by name, then equal ones, then each with the one that it fits best: each old one of a request must
   * still find one, each new one of an answer must have had one. What another one allows anyway does not count.
   */
  *#alternatives(spot: Spot, old: Schemas[], now: Schemas[], isWrapped = false): Iterable<Finding> {
    const { place, sense, met } = spot;
    const sideOf = (one: Schemas) => (old.includes(one) ? old : now);
    const nodesOf = (one: Schemas) => conjunction(old.includes(one) ? this.#old : this.#new, one).nodes;
    const isCovered = (one: Schemas): boolean =>
      !isWrapped && sideOf(one).some((other) => other !== one && isPlain(nodesOf(other), nodesOf(one)));
    const stepOf = (one: Schemas): string => nameOf(one.at(-1)) ?? String(sideOf(one).indexOf(one) + 1);
    const compare = (before: Schemas, after: Schemas, metThere = met): Finding[] => {
      const here = below(place, `(${stepOf(isWrapped && old.length === 1 ? after : before)})`);
      const inner: Sense = isCovered(before) && isCovered(after) ? "none" : sense;
      return this.#schemas({ ...spot, place: here, sense: inner, met: metThere }, before, after);
    };
    const rules = [
      ([one]: Schemas, [other]: Schemas) => nameOf(one) !== undefined && nameOf(one) === nameOf(other),
      isDeepStrictEqual,
    ];
    const { pairs, olds, news } = paired(old, now, isWrapped ? [] : rules);
    for (const pair of pairs) yield* compare(...pair);

    const isAnswer = (place.side === "answer") !== (sense === "reversed");
    const [left, others, all] = isAnswer ? [news, olds, old] : [olds, news, now];
    const best = (one: Schemas, some: Schemas[]) => {
      const fits = some.filter((other) => !areApart(nodesOf(one), nodesOf(other)));
      const isChoice = fits.length > 1 && met === this.#met;
      const tried = fits.map((other) => {
        const told = compare(isAnswer ? other : one, isAnswer ? one : other, isChoice ? new MetPairs() : met);
        return { other, told, cost: told.reduce((sum, { level }) => sum + costs[level], 0) };
      });
      return tried.sort((a, b) => a.cost - b.cost)[0];
    };
    for (const one of left) {
      const found = best(one, isWrapped ? all : [...others]);
      const taken = all.filter((other) => !others.has(other));
      const again = found ?? best(one, taken);
      if (found) others.delete(found.other);
      if (again && (found || again.cost < costs.major)) yield* again.told;
      else others.add(one);
    }
    for (const one of others) {
      if (isWrapped && all.length === 1) continue;
      const isNew = now.includes(one);
      const level = levelOf(place.side, isCovered(one) ? "none" : sense, isNew ? "loosened" : "tightened");
      const message = `alternative ${quote(stepOf(one))} ${isNew ? "added to" : "removed from"} ${thePart}`;
      yield finding(level, place, message, "member");
    }
  }

  *#constants(place: Place, before: Json[], after: Json[]): Iterable<Finding> {
    const [[old], [now]] = [values(before, "enum"), values(after, "enum")];
    if (!Array.isArray(old) || !Array.isArray(now)) return;
    const [oldKeys, newKeys] = [enumKeys(old), enumKeys(now)];
    for (const [index, value] of old.entries()) {
      const [oldKey, newKey] = [oldKeys[index], newKeys[now.indexOf(value)]];
      const message = `the constant for ${quote(value)} is called ${quote(newKey)}, not ${quote(oldKey)}`;
      if (now.includes(value) && oldKey !== newKey) yield finding("major", place, message);
    }
  }

  /** Keywords that say what happens, not which values are right. */
  *#behaviour({ place, sense, isThere }: Spot, before: Json[], after: Json[]): Iterable<Finding> {
    for (const [keyword, harmless] of Object.entries({ readOnly: "answer", writeOnly: "request" })) {
      const [old, now] = [before, after].map((nodes) => values(nodes, keyword).includes(true));
      const level = now && place.side !== harmless ? "major" : "minor";
      if (old !== now) yield finding(level, place, `${now ? "became" : "no longer"} ${quote(keyword)} in ${thePart}`);
    }
    const [old, now] = [combined(before, "default"), combined(after, "default")];
    if (isDeepStrictEqual(old, now)) return;
    // Callers who leave the property out now ask for something else.
    const counts = place.side === "request" && sense === "as is" && !isThere;
    const level = old === undefined ? "minor" : "major";
    yield finding(counts ? level : "patch", place, changeOf("default", old, now), counts ? "review" : undefined);
  }
}

function combinedSense(outer: Sense, inner: Sense): Sense {
  for (const sense of ["none", "both"] as const) if (outer === sense || inner === sense) return sense;
  return outer === inner ? "as is" : "reversed";
}

/** The schemas under keywords that ask something of a value, or of parts of it that no type shows. */
function* partsOf(old: Json[], now: Json[]): Iterable<[string, step: string, before: Schemas, after: Schemas]> {
  const keys = new Set([...old, ...now].flatMap(Object.keys));
  for (const [keyword, kind] of fields) {
    if (!keys.has(keyword)) continue;
    const [before, after] = [values(old, keyword), values(now, keyword)];
    if (kind === "schema{}" && keyword !== "properties") {
      for (const [name, one = [], other = []] of both(namedSchemas(old, keyword), namedSchemas(now, keyword)))
        if (senses[keyword] !== "none" || (one.length > 0 && other.length > 0))
          yield [keyword, `${keyword} ${name}`, one, other];
    } else if (["not", "if", "then", "else", "contains"].includes(keyword)) {
      // Two of them, in two nodes, are not the same as one that says it all.
      const { pairs, olds, news } = paired(before, after, [isDeepStrictEqual, () => true]);
      for (const [one, other] of pairs) yield [keyword, keyword, [one], [other]];
      // A condition counts by its consequences.
      if (keyword === "if") continue;
      for (const one of olds) yield [keyword, keyword, [one], []];
      for (const one of news) yield [keyword, keyword, [], [one]];
    } else if (kind === "schema" && !["items", "additionalItems"].includes(keyword))
      yield [keyword, keyword, before, after];
  }
}
