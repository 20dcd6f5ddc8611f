import { isDeepStrictEqual } from "node:util";
import { enumKeys } from "../generate/constants.js";
import { type Json, type OpenApi, isObject } from "../spec/json.js";
import { type Kind, fieldsOf } from "../spec/walk.js";
import { type Effect, type Sense, combined, constraintChanges, constraintKeywords, levelOf } from "./constraints.js";
import { listed, typesOf } from "./constraints.js";
import { type Finding, type Place, type Side, MetPairs, below, both, changeOf, member, paired } from "./findings.js";
import { quote, thePart } from "./findings.js";
import { type Conjunction, arrays, bare, conjunction, nameOf, namedSchemas, otherItems } from "./nodes.js";
import { shape, tuple, values } from "./nodes.js";
import { isWords, restOf } from "./texts.js";

/** Where a pair of schemas is, and how it counts there. */
interface Spot {
  place: Place;
  sense: Sense;
  /** Whether TypeScript has a type for this place. */
  isTyped: boolean;
  /** Whether there always is a value. */
  isThere: boolean;
  /** Whether it is one of several pairs, of which the best one counts. */
  isCandidate: boolean;
  met: MetPairs;
}

type Pair = [before: unknown[], after: unknown[]];

const kinds: [keyword: string, kind: Kind][] = [...fieldsOf("schema")];
/** The keywords that hold a schema, or schemas by names, each of which a value has to satisfy (or not to) by itself. */
const single = kinds.filter(([key, kind]) => kind === "schema" && !["items", "additionalItems"].includes(key));
const named = kinds.filter(([key, kind]) => kind === "schema{}" && key !== "properties");
const senses: Record<string, Sense> = { not: "reversed", if: "both", $defs: "none", definitions: "none" };
/** Keywords of which several, in several nodes, are not the same as one that says it all. */
const separate = ["not", "if", "then", "else", "contains"];

/** Keywords that are walked, that have a rule, or that only TypeScript's types show. */
const covered = new Set([
  ...constraintKeywords,
  ...kinds.flatMap(([keyword, kind]) => (kind.startsWith("schema") ? [keyword] : [])),
  ..."$ref required discriminator default readOnly writeOnly".split(" "),
]);

/** Whether a keyword is told of wherever it changes, also where values stay the same. */
function isToldApart(keyword: string): boolean {
  return !covered.has(keyword) || ["default", "readOnly", "writeOnly"].includes(keyword);
}

/** Walks pairs of schemas through every place at which a schema can be, and collects what their data allow otherwise. */
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
    const spot: Spot = { place, sense: "as is", isTyped: true, isThere, isCandidate: false, met: this.#met };
    return this.#schemas(spot, [before], [after]);
  }

  #schemas(spot: Spot, before: unknown[], after: unknown[]): Finding[] {
    const { place, met } = spot;
    if (spot.isCandidate && this.#left-- <= 0) return [];
    const [old, now] = [conjunction(this.#old, before), conjunction(this.#new, after)];
    for (const name of old.names.filter((one) => now.names.includes(one)))
      this.compared.set(name, (this.compared.get(name) ?? new Set()).add(place.side));
    const kind = [place.side, spot.sense, spot.isTyped, spot.isThere].join(" ");
    if (met.meets(kind, old.nodes, now.nodes)) return [];

    const isWrapped = (old.alternatives.length === 0) !== (now.alternatives.length === 0);
    const findings = isWrapped ? this.#wrapped(spot, old, now) : this.#conjunctions(spot, old, now);
    findings.push(...restOf(place, old.ignored, now.ignored));
    if (shape(old, isToldApart) === shape(now, isToldApart)) return findings;
    if (findings.every(isText))
      findings.push({
        level: "patch",
        place,
        message: `put in other words in ${thePart}, with the same types`,
        tells: "words",
      });
    else if (isWrapped) findings.push(otherAlternatives(place));
    return findings;
  }

  #conjunctions(spot: Spot, old: Conjunction, now: Conjunction): Finding[] {
    return [
      ...this.#nodes(spot, old.nodes, now.nodes),
      ...this.#unions(spot, old, now),
      ...this.#alternatives(
        spot,
        old.alternatives.map((one) => [one]),
        now.alternatives.map((one) => [one]),
      ),
    ];
  }

  /** A schema without alternatives, which is the only one on its side and goes with each on the other. */
  #wrapped(spot: Spot, old: Conjunction, now: Conjunction): Finding[] {
    // What is said beside alternatives holds for each of them.
    const whole = ({ nodes, alternatives }: Conjunction): unknown[][] =>
      alternatives.length === 0 ? [nodes] : alternatives.map((one) => [...nodes.map(bare), one]);
    return this.#alternatives(spot, whole(old), whole(now), true);
  }

  /** Everything that two schemas say themselves, and what is below. */
  #nodes(spot: Spot, old: Json[], now: Json[]): Finding[] {
    const { place, sense } = spot;
    const findings = constraintChanges(old, now).map(({ keyword, effect, before, after }): Finding => ({
      level: levelOf(place.side, sense, effect),
      place,
      message: changeOf(keyword, before, after, effect),
      tells: "value",
    }));
    const keys = new Set([...old, ...now].flatMap((node) => Object.keys(node)).filter((key) => !covered.has(key)));
    const texts = (nodes: Json[]): Json => Object.fromEntries([...keys].map((key) => [key, combined(nodes, key)]));
    findings.push(...this.#constants(place, old, now), ...this.#behaviour(spot, old, now));
    findings.push(...restOf(place, texts(old), texts(now)));
    // What lists say says nothing of objects.
    if (haveOtherTypes(old, now)) return findings;
    findings.push(...this.#required(spot, old, now));
    findings.push(...this.#properties(spot, old, now), ...this.#items(spot, old, now));

    for (const [keyword] of single) {
      // A condition without consequences asks for nothing, and one that is new counts by its consequences.
      const isCondition = keyword === "if" && [old, now].some((nodes) => values(nodes, "if").length === 0);
      const pairs = separate.includes(keyword) ? apart(old, now, keyword) : [whole(old, now, keyword)];
      if (!isCondition) for (const pair of pairs) findings.push(...this.#below(spot, keyword, keyword, pair));
    }
    for (const [keyword] of named)
      for (const [name, before = [], after = []] of both(namedSchemas(old, keyword), namedSchemas(now, keyword)))
        if (senses[keyword] !== "none" || (before.length > 0 && after.length > 0))
          findings.push(...this.#below(spot, keyword, `${keyword} ${name}`, [before, after]));
    return findings;
  }

  /** What a keyword asks of a value, or of a part of it, by schemas. */
  #below(spot: Spot, keyword: string, step: string, pair: Pair): Finding[] {
    const [before, after] = pair.map((all) => all.filter((one) => !asksNothing(keyword, one))) as Pair;
    if (before.length === 0 && after.length === 0) return [];
    const isMap = keyword === "additionalProperties";
    const here = isMap ? below(spot.place, "*") : below(spot.place, `(${step})`);
    const [strictBefore, strictAfter] = [before, after].map((all) => all.some((one) => isStrict(keyword, one)));
    const isWhole = before.length > 0 && after.length > 0 && !strictBefore && !strictAfter;
    if (isWhole) {
      const sense = combinedSense(spot.sense, senses[keyword] ?? "as is");
      return this.#schemas(
        { ...spot, place: here, sense, isTyped: spot.isTyped && isMap, isThere: false },
        before,
        after,
      );
    }
    if (strictBefore && strictAfter) return [];
    const effect: Effect = before.length === 0 || strictAfter === true ? "tightened" : "loosened";
    // A reader meets properties that a closed object now allows as additions.
    const opened = /^(additional|unevaluated)Properties$/.test(keyword) && effect === "loosened";
    const isAddition = opened && spot.place.side === "answer" && spot.sense === "as is";
    const [one, other] = [before, after].map((all) => (all.length > 1 ? all : all[0]));
    return [
      {
        level: isAddition ? "minor" : levelOf(spot.place.side, spot.sense, effect),
        place: isMap && [...before, ...after].some(isObject) ? here : spot.place,
        message: changeOf(step, one, other, effect),
        tells: "value",
      },
    ];
  }

  #properties(spot: Spot, old: Json[], now: Json[]): Finding[] {
    const { place, sense } = spot;
    const [wasRequired, isRequired] = [old, now].map((nodes) => new Set(arrays(nodes, "required")));
    return both(namedSchemas(old, "properties"), namedSchemas(now, "properties")).flatMap(([name, before, after]) => {
      const here = below(place, member(name));
      const isThere = wasRequired?.has(name) === true && isRequired?.has(name) === true;
      if (before && after) {
        const isReadOnly = (spec: OpenApi, all: unknown[]) =>
          values(conjunction(spec, all).nodes, "readOnly").includes(true);
        const isSent = place.side === "request" && isRequired?.has(name) === true && sense === "as is";
        const isNew = isSent && isReadOnly(this.#old, before) && !isReadOnly(this.#new, after);
        const told = this.#schemas({ ...spot, place: here, isThere }, before, after);
        if (isNew) told.push({ level: "major", place: here, message: `has to be sent from now on in ${thePart}` });
        return told;
      }
      if (!spot.isTyped && (before ?? after)?.every((one) => asksNothing("properties", one))) return [];
      // An object is open: types decide what the name of a property is worth.
      const isTyped = spot.isTyped && sense === "as is";
      const level = isTyped
        ? after
          ? "minor"
          : "major"
        : levelOf(place.side, sense, after ? "tightened" : "loosened");
      const verb = after ? "added to" : "removed from";
      return [
        { level, place: here, message: `property ${quote(name)} ${verb} ${thePart}`, tells: "member" } as Finding,
      ];
    });
  }

  #items(spot: Spot, old: Json[], now: Json[]): Finding[] {
    const { place } = spot;
    const [oldTuple, newTuple, oldRest, newRest] = [tuple(old), tuple(now), otherItems(old), otherItems(now)];
    const at = (step: string, before: unknown[], after: unknown[]): Finding[] => {
      const here = { ...spot, place: below(place, step), isThere: true };
      const isFalse = before.includes(false) !== after.includes(false);
      if (isFalse) return this.#below(spot, "items", "items", [before, after]);
      return before.length + after.length === 0 ? [] : this.#schemas(here, before, after);
    };
    const positions = Array.from({ length: Math.max(oldTuple.length, newTuple.length) }, (_, index) => index);
    const item = (all: unknown[], rest: unknown[], index: number) => (index < all.length ? [all[index]] : rest);
    return [
      ...at("[]", oldRest, newRest),
      ...positions.flatMap((index) => at(`[${index}]`, item(oldTuple, oldRest, index), item(newTuple, newRest, index))),
    ];
  }

  #required({ place, sense }: Spot, old: Json[], now: Json[]): Finding[] {
    const required = (nodes: Json[]) => arrays(nodes, "required").map((name): [string, true] => [String(name), true]);
    return both(required(old), required(now))
      .filter(([, before, after]) => before !== after)
      .map(([name, , isRequired]) => ({
        level: levelOf(place.side === "request" ? "request" : "answer", sense, isRequired ? "tightened" : "loosened"),
        place: below(place, member(name)),
        message: `is ${isRequired ? "now" : "no longer"} required in ${thePart}`,
        tells: "member",
      }));
  }

  /** What is said by which of `oneOf` and `anyOf` it is that names alternatives. */
  #unions({ place, sense }: Spot, old: Conjunction, now: Conjunction): Finding[] {
    if (old.alternatives.length === 0 || now.alternatives.length === 0) return [];
    const [before, after] = [unionOf(old), unionOf(now)];
    const all = [...old.alternatives.map((one) => this.#of(this.#old, [one]))];
    const isClear = all.every((one, index) => all.slice(index + 1).every((other) => areApart(one, other)));
    if (before === after || (isClear && before !== "" && after !== "")) return [];
    const effect = after === "oneOf" ? "tightened" : before === "oneOf" ? "loosened" : "changed";
    const message = `${quote(before)} became ${quote(after)} in ${thePart}, and alternatives need not exclude each other`;
    return [{ level: levelOf(place.side, sense, effect), place, message, review: true }];
  }

  /**
   * Pairs alternatives by name, then equal ones, then each with the one that it fits best: each old one of a request must
   * still find one, each new one of an answer must have had one.
   */
  #alternatives(spot: Spot, old: unknown[][], now: unknown[][], isWrapped = false): Finding[] {
    const { place, sense } = spot;
    const isNamedAlike = ([before]: unknown[], [after]: unknown[]) =>
      nameOf(before) !== undefined && nameOf(before) === nameOf(after);
    const { pairs, olds, news } = paired(old, now, isWrapped ? [] : [isNamedAlike, isDeepStrictEqual]);
    const compare = (before: unknown[], after: unknown[], isCandidate = spot.isCandidate): Finding[] => {
      const [all, one] = isWrapped && old.length === 1 ? [now, after] : [old, before];
      const step = nameOf(one.at(-1)) ?? all.indexOf(one) + 1;
      const isCovered = !isWrapped && this.#isCovered(old, before, this.#old) && this.#isCovered(now, after, this.#new);
      const met = isCandidate && !spot.isCandidate ? new MetPairs() : spot.met;
      const inside: Spot = { ...spot, place: below(place, `(${step})`), isCandidate, met };
      return this.#schemas({ ...inside, sense: isCovered ? "none" : sense }, before, after);
    };
    const findings = [...pairs].flatMap(([before, after]) => compare(before, after));

    const isAnswer = (place.side === "answer") !== (sense === "reversed");
    const [left, others, all] = isAnswer ? [news, olds, old] : [olds, news, now];
    const change = (one: unknown[], isNew: boolean, by: string): void => {
      const isCovered = !isWrapped && this.#isCovered(isNew ? now : old, one, isNew ? this.#new : this.#old);
      const level = levelOf(place.side, isCovered ? "none" : sense, isNew ? "loosened" : "tightened");
      const step = nameOf(one.at(-1)) ?? (isNew ? now : old).indexOf(one) + 1;
      findings.push({ level, place, message: `alternative ${quote(String(step))} ${by} ${thePart}`, tells: "member" });
    };
    for (const one of left) {
      const best = (some: Iterable<unknown[]>): { other: unknown[]; findings: Finding[]; cost: number } | undefined => {
        const fits = [...some].filter((other) => !areApart(this.#of(this.#old, one), this.#of(this.#new, other)));
        const isChoice = fits.length > 1 && !spot.isCandidate;
        const tried = fits.map((other) => {
          const told = isAnswer ? compare(other, one, isChoice) : compare(one, other, isChoice);
          return { other, findings: told, cost: told.reduce((sum, { level }) => sum + costs[level], 0) };
        });
        return tried.sort((a, b) => a.cost - b.cost)[0];
      };
      const found = best(isWrapped ? all : others);
      const again = found ?? best([...all].filter((other) => !others.has(other)));
      if (found) others.delete(found.other);
      if (again && (found || again.cost < costs.major)) findings.push(...again.findings);
      else change(one, isAnswer, isAnswer ? "added to" : "removed from");
    }
    for (const one of others)
      if (!isWrapped || all.length > 1) change(one, !isAnswer, isAnswer ? "removed from" : "added to");
    return findings;
  }

  #of(spec: OpenApi, schemas: unknown[]): Json[] {
    return conjunction(spec, schemas).nodes;
  }

  /** Whether another of the members of an `anyOf` plainly allows all that one of them allows. */
  #isCovered(all: unknown[][], one: unknown[], spec: OpenApi): boolean {
    const own = this.#of(spec, one);
    const types = typesOf(own) ?? listed(own)?.map((value) => typeof JSON.parse(value));
    return all.some((other) => {
      if (other === one) return false;
      const nodes = this.#of(spec, other);
      const isPlain = nodes.every((node) =>
        Object.keys(node).every((key) => key === "type" || key === "nullable" || isWords(key)),
      );
      const wider = typesOf(nodes);
      return isPlain && (wider === undefined || types?.every((type) => wider.includes(type)) === true);
    });
  }

  #constants(place: Place, before: Json[], after: Json[]): Finding[] {
    const [[old], [now]] = [values(before, "enum"), values(after, "enum")];
    if (!Array.isArray(old) || !Array.isArray(now)) return [];
    const [oldKeys, newKeys] = [enumKeys(old), enumKeys(now)];
    return old.flatMap((value, index): Finding[] => {
      const [oldKey, newKey] = [oldKeys[index], newKeys[now.indexOf(value)]];
      if (!now.includes(value) || oldKey === newKey) return [];
      const message = `the constant for ${quote(value)} is called ${quote(newKey)}, not ${quote(oldKey)}`;
      return [{ level: "major", place, message }];
    });
  }

  /** Keywords that say what happens, not which values are right. */
  #behaviour({ place, sense, isThere }: Spot, before: Json[], after: Json[]): Finding[] {
    const findings: Finding[] = [];
    for (const [keyword, harmless] of [
      ["readOnly", "answer"],
      ["writeOnly", "request"],
    ] as const) {
      const [old, now] = [before, after].map((nodes) => values(nodes, keyword).includes(true));
      const message = `${now ? "became" : "no longer"} ${quote(keyword)} in ${thePart}`;
      if (old !== now) findings.push({ level: now && place.side !== harmless ? "major" : "minor", place, message });
    }
    const [old, now] = [combined(before, "default"), combined(after, "default")];
    if (isDeepStrictEqual(old, now)) return findings;
    const message = changeOf("default", old, now);
    // Callers who leave the property out now ask for something else.
    const counts = place.side === "request" && sense === "as is" && !isThere;
    if (!counts) findings.push({ level: "patch", place, message });
    else findings.push({ level: old === undefined ? "minor" : "major", place, message, review: true });
    return findings;
  }
}

const costs = { patch: 0, minor: 1, major: 1_000 };

function otherAlternatives(place: Place): Finding {
  const message = `other alternatives in ${thePart}: types do not tell which of them exclude each other`;
  return { level: "patch", place, message, review: true };
}

/** Whether a finding is about words, not about what a schema says. */
function isText({ level, tells, review }: Finding): boolean {
  return level === "patch" && !review && (tells === undefined || tells === "words");
}

function combinedSense(outer: Sense, inner: Sense): Sense {
  if (outer === "none" || inner === "none") return "none";
  if (outer === "both" || inner === "both") return "both";
  return outer === inner ? "as is" : "reversed";
}

function whole(old: Json[], now: Json[], keyword: string): Pair {
  return [values(old, keyword), values(now, keyword)];
}

/** The schemas of a keyword one by one: equal ones with each other, then by their order. */
function apart(old: Json[], now: Json[], keyword: string): Pair[] {
  const { pairs, olds, news } = paired(values(old, keyword), values(now, keyword), [isDeepStrictEqual, () => true]);
  return [
    ...[...pairs].map(([before, after]): Pair => [[before], [after]]),
    ...[...olds].map((before): Pair => [[before], []]),
    ...[...news].map((after): Pair => [[], [after]]),
  ];
}

/** Whether a schema under a keyword allows every value. */
function asksNothing(keyword: string, schema: unknown): boolean {
  if (keyword === "not") return schema === false;
  if (keyword === "contains") return false;
  return schema === true || (isObject(schema) && Object.keys(schema).every(isWords));
}

/** Whether a schema under a keyword allows no value. */
function isStrict(keyword: string, schema: unknown): boolean {
  return keyword === "not"
    ? schema === true || (isObject(schema) && Object.keys(schema).every(isWords))
    : schema === false;
}

/** The keyword by which a schema names alternatives. */
function unionOf({ nodes }: Conjunction): string {
  return ["oneOf", "anyOf"].filter((key) => arrays(nodes, key).length > 0).join(", ");
}

function disjoint(one: string[] | undefined, other: string[] | undefined): boolean {
  return one !== undefined && other !== undefined && !one.some((item) => other.includes(item));
}

/** Whether they name types of which none is a type of the other. TypeScript knows no integers. */
function haveOtherTypes(before: Json[], after: Json[]): boolean {
  const types = (nodes: Json[]) => typesOf(nodes)?.map((type) => (type === "integer" ? "number" : type));
  return disjoint(types(before), types(after));
}

/** Whether no value can satisfy both: they name other types, or other values, also of a property that both require. */
function areApart(before: Json[], after: Json[]): boolean {
  if (haveOtherTypes(before, after) || disjoint(listed(before), listed(after))) return true;
  const properties = namedSchemas(after, "properties");
  return [...namedSchemas(before, "properties")].some(([name, own]) => {
    const isRequired = [before, after].every((nodes) => arrays(nodes, "required").includes(name));
    return isRequired && disjoint(listed(own.filter(isObject)), listed((properties.get(name) ?? []).filter(isObject)));
  });
}
