import { isDeepStrictEqual } from "node:util";
import { UserError } from "../command.js";
import { MetPairs, member, quote } from "./findings.js";
import type { Finding, Level, Place, Side } from "./findings.js";
import { enumKeys } from "../generate/constants.js";
import { componentOf, isObject, object, resolve } from "../spec/json.js";
import type { Json, OpenApi } from "../spec/json.js";

/** A finding in the data; some say nothing new where the types already tell of a change. */
export interface DataFinding extends Finding {
  /** "type": drop it where the types tell of another type here. "part": …of any change at, above or below this place. */
  unless?: "type" | "part";
}

/** Takes what a comparison finds. */
export type Tell = (
  level: Level,
  place: Place,
  message: Finding["message"],
  more?: Pick<DataFinding, "review" | "unless">,
) => void;

const floors = ["minLength", "minItems", "minProperties", "minContains"];
const ceilings = ["maxLength", "maxItems", "maxProperties", "maxContains"];
/** Assertions whose values have no order: there or not, the same or not. */
const assertions = [
  "format",
  "pattern",
  "contentEncoding",
  "contentMediaType",
  "contentSchema",
  "not",
  "if",
  "then",
  "else",
  "contains",
  "propertyNames",
  "patternProperties",
  "dependentRequired",
  "dependentSchemas",
  "dependencies",
  "unevaluatedItems",
  "unevaluatedProperties",
];
/** Keywords that are walked, or that TypeScript judges. */
const structural = [
  "$ref",
  "type",
  "nullable",
  "enum",
  "const",
  "properties",
  "required",
  "items",
  "prefixItems",
  "additionalProperties",
  "allOf",
  "anyOf",
  "oneOf",
  "discriminator",
];
const schemaKeywords = new Set([
  ...floors,
  ...ceilings,
  ...assertions,
  ...structural,
  "minimum",
  "exclusiveMinimum",
  "maximum",
  "exclusiveMaximum",
  "multipleOf",
  "uniqueItems",
  "default",
  "readOnly",
  "writeOnly",
]);

type Effect = "tightened" | "loosened" | "changed";

/** Callers suffer from a tighter request, readers from a looser answer. */
function levelOf(side: Side, effect: Effect): Level {
  if (effect === "changed") return "major";
  if (side === "answer") return effect === "loosened" ? "major" : "patch";
  return effect === "tightened" ? "major" : "minor";
}

/** Texts and examples: they reach docs and comments only. */
const texts = new Set([
  "title",
  "summary",
  "description",
  "example",
  "examples",
  "tags",
  "deprecated",
  "externalDocs",
  "contact",
  "license",
  "termsOfService",
  "bearerFormat",
]);

/** A schema with all that `$ref` and `allOf` add to it: a value has to satisfy every node. */
interface Conjunction {
  nodes: Json[];
  /** The schemas in `components` that it came by. */
  names: string[];
}

interface Bound {
  value: number;
  exclusive: boolean;
}

/** Tells of a key that no rule of its own covers: a text is a patch, anything else a patch to look at. */
export function tellText(tell: Tell, place: Place, key: string, was: unknown, is: unknown): void {
  if (isDeepStrictEqual(was, is)) return;
  const verb = was === undefined ? "added" : is === undefined ? "removed" : "changed";
  const known = texts.has(key) || key.startsWith("x-");
  tell("patch", place, () => `${quote(key)} ${verb}`, known ? undefined : { review: true });
}

/** Walks pairs of schemas and tells what of their data differs. */
export class SchemaComparison {
  /** The schemas in `components` that were met. */
  readonly walked = { old: new Set<string>(), new: new Set<string>() };
  readonly #old: OpenApi;
  readonly #new: OpenApi;
  readonly #tell: Tell;
  readonly #met = new MetPairs<string>();
  readonly #ids = new Map<Json, number>();

  constructor(oldSpec: OpenApi, newSpec: OpenApi, tell: Tell) {
    this.#old = oldSpec;
    this.#new = newSpec;
    this.#tell = tell;
  }

  /** A part of its own: what other parts met is told again. */
  part(place: Place, before: unknown, after: unknown): void {
    this.#met.startPart();
    this.#schemas(place, [before], [after]);
  }

  #schemas(place: Place, before: unknown[], after: unknown[]): void {
    const was = conjunction(this.#old, before, this.walked.old);
    const is = conjunction(this.#new, after, this.walked.new);
    if (this.#met.meets(place.side, this.#idsOf(was), this.#idsOf(is))) return;

    this.#constraints(place, was.nodes, is.nodes);
    this.#enums(place, was.nodes, is.nodes);
    this.#behaviour(place, was.nodes, is.nodes);
    const keys = [...was.nodes, ...is.nodes].flatMap((node) => Object.keys(node));
    for (const key of new Set(keys))
      if (!schemaKeywords.has(key)) tellText(this.#tell, place, key, combined(was.nodes, key), combined(is.nodes, key));
    const isTold = this.#required(place, was.nodes, is.nodes);
    if (!isTold && shape(was) !== shape(is))
      this.#tell("patch", place, (part) => `put in other words in ${part}, with the same types`, {
        unless: "part",
        // Types do not tell what only one of several alternatives asks for.
        ...(unions(was) !== unions(is) && { review: true }),
      });

    const oldProperties = propertiesOf(was.nodes);
    for (const [name, nodes] of propertiesOf(is.nodes)) {
      const old = oldProperties.get(name);
      if (old !== undefined) this.#schemas({ ...place, path: member(place.path, name) }, old, nodes);
    }
    const inner = (path: string, old: unknown[], now: unknown[]): void => {
      if (old.length > 0 && now.length > 0) this.#schemas({ ...place, path }, old, now);
    };
    const lists = (nodes: Json[]): unknown[] => values(nodes, "items").filter((items) => !Array.isArray(items));
    inner(`${place.path}[]`, lists(was.nodes), lists(is.nodes));
    const [oldTuple, newTuple] = [tuple(was.nodes), tuple(is.nodes)];
    oldTuple.forEach((old, index) => inner(`${place.path}[${index}]`, [old], newTuple.slice(index, index + 1)));
    const maps = (nodes: Json[]): unknown[] => values(nodes, "additionalProperties").filter(isObject);
    inner(place.path === "" ? "*" : `${place.path}.*`, maps(was.nodes), maps(is.nodes));
    for (const keyword of ["oneOf", "anyOf"]) {
      const now = alternatives(is.nodes, keyword);
      for (const [name, old] of alternatives(was.nodes, keyword))
        inner(`${place.path}(${name})`, [old], now.has(name) ? [now.get(name)] : []);
    }
  }

  /** What `required` says of properties that the types do not show, such as in a part of an `allOf` by itself. */
  #required(place: Place, was: Json[], is: Json[]): boolean {
    const [old, now] = [arrays(was, "required"), arrays(is, "required")];
    const told = (names: unknown[], level: Level, verb: string): boolean => {
      for (const name of new Set(names)) {
        const path = member(place.path, String(name));
        this.#tell(level, { ...place, path }, (part) => `${verb} required in ${part}`, { unless: "part" });
      }
      return names.length > 0;
    };
    const isRequest = place.side === "request";
    const more = told(
      now.filter((name) => !old.includes(name)),
      isRequest ? "major" : "patch",
      "is now",
    );
    const fewer = told(
      old.filter((name) => !now.includes(name)),
      isRequest ? "minor" : "major",
      "is no longer",
    );
    return more || fewer;
  }

  #constraints(place: Place, was: Json[], is: Json[]): void {
    const number = (nodes: Json[], keyword: string): number[] =>
      values(nodes, keyword).filter((value) => typeof value === "number");
    for (const keyword of floors) {
      const [old, now] = [Math.max(0, ...number(was, keyword)), Math.max(0, ...number(is, keyword))];
      if (old !== now)
        this.#constraint(place, keyword, now > old ? "tightened" : "loosened", old || undefined, now || undefined);
    }
    const finite = (value: number): number | undefined => (value === Infinity ? undefined : value);
    for (const keyword of ceilings) {
      const [old, now] = [Math.min(Infinity, ...number(was, keyword)), Math.min(Infinity, ...number(is, keyword))];
      if (old !== now) this.#constraint(place, keyword, now < old ? "tightened" : "loosened", finite(old), finite(now));
    }
    for (const [keyword, sign] of [
      ["minimum", 1],
      ["maximum", -1],
    ] as const) {
      const [old, now] = [bound(was, keyword, sign), bound(is, keyword, sign)];
      if (isDeepStrictEqual(old, now)) continue;
      const tightened =
        strictest(
          [old, now].filter((one) => one !== undefined),
          sign,
        ) === now;
      const words = (one: Bound | undefined): string | number | undefined =>
        one?.exclusive ? `${one.value}, exclusive` : one?.value;
      this.#constraint(place, keyword, tightened ? "tightened" : "loosened", words(old), words(now));
    }
    const [oldStep, newStep] = [number(was, "multipleOf"), number(is, "multipleOf")];
    if (!isDeepStrictEqual(oldStep, newStep)) {
      const divides = (steps: number[], by: number[]): boolean =>
        by.every((step) => steps.some((one) => Number.isInteger(one / step)));
      const tightened = divides(newStep, oldStep);
      const loosened = divides(oldStep, newStep);
      const effect = tightened ? "tightened" : loosened ? "loosened" : "changed";
      this.#constraint(place, "multipleOf", effect, oldStep[0], newStep[0]);
    }
    const flags: [string, (nodes: Json[]) => boolean][] = [
      ["uniqueItems", (nodes) => values(nodes, "uniqueItems").includes(true)],
      ["additionalProperties", (nodes) => values(nodes, "additionalProperties").includes(false)],
    ];
    for (const [keyword, holds] of flags) {
      const [old, now] = [holds(was), holds(is)];
      const value = keyword === "uniqueItems";
      if (old !== now)
        this.#constraint(
          place,
          keyword,
          now ? "tightened" : "loosened",
          old ? value : undefined,
          now ? value : undefined,
        );
    }
    for (const keyword of assertions) {
      const [old, now] = [combined(was, keyword), combined(is, keyword)];
      if (isDeepStrictEqual(old, now)) continue;
      const effect = old === undefined ? "tightened" : now === undefined ? "loosened" : "changed";
      this.#constraint(place, keyword, effect, old, now);
    }
    const [oldInteger, newInteger] = [isInteger(was), isInteger(is)];
    if (oldInteger !== undefined && newInteger !== undefined && oldInteger !== newInteger)
      this.#constraint(
        place,
        "type",
        newInteger ? "tightened" : "loosened",
        oldInteger ? "integer" : "number",
        newInteger ? "integer" : "number",
      );
  }

  #constraint(place: Place, keyword: string, effect: Effect, was: unknown, is: unknown): void {
    // A reader meets properties that a closed object now allows as additions, not as surprises.
    const opened = keyword === "additionalProperties" && effect === "loosened";
    const level = opened ? "minor" : levelOf(place.side, effect);
    const valued = (value: unknown): string => quote(`${keyword}: ${stated(value)}`);
    this.#tell(
      level,
      place,
      (part) =>
        was === undefined
          ? `${valued(is)} added to ${part}`
          : is === undefined
            ? `${valued(was)} removed from ${part}`
            : `${quote(keyword)} ${effect} from ${quote(stated(was))} to ${quote(stated(is))} in ${part}`,
      { unless: "type" },
    );
  }

  #enums(place: Place, was: Json[], is: Json[]): void {
    const [old] = values(was, "enum");
    const [now] = values(is, "enum");
    if (!Array.isArray(old) || !Array.isArray(now)) return;
    const same = old.length === now.length && old.every((value) => now.includes(value));
    if (same && !isDeepStrictEqual(old, now)) this.#tell("patch", place, (part) => `values reordered in ${part}`);
    const [oldKeys, newKeys] = [enumKeys(old), enumKeys(now)];
    old.forEach((value, index) => {
      const newIndex = now.indexOf(value);
      const [oldKey, newKey] = [oldKeys[index], newKeys[newIndex]];
      if (newIndex >= 0 && oldKey !== newKey)
        this.#tell(
          "major",
          place,
          () => `the constant for ${quote(value)} is called ${quote(newKey)}, not ${quote(oldKey)}`,
        );
    });
  }

  /** Keywords that say what happens, not which values are right. */
  #behaviour(place: Place, was: Json[], is: Json[]): void {
    for (const keyword of ["readOnly", "writeOnly"]) {
      const [old, now] = [values(was, keyword).includes(true), values(is, keyword).includes(true)];
      if (old !== now)
        this.#tell(now ? "major" : "minor", place, (part) =>
          now ? `became ${quote(keyword)} in ${part}` : `no longer ${quote(keyword)} in ${part}`,
        );
    }
    const [old, now] = [combined(was, "default"), combined(is, "default")];
    if (isDeepStrictEqual(old, now)) return;
    const words = (part: string): string =>
      old === undefined
        ? `${quote(`default: ${stated(now)}`)} added to ${part}`
        : now === undefined
          ? `${quote(`default: ${stated(old)}`)} removed from ${part}`
          : `${quote("default")} changed from ${quote(stated(old))} to ${quote(stated(now))} in ${part}`;
    // Callers who leave the property out now ask for something else.
    if (place.side === "request") this.#tell(old === undefined ? "minor" : "major", place, words, { review: true });
    else this.#tell("patch", place, words);
  }

  #idsOf({ nodes }: Conjunction): string {
    return nodes
      .map((node) => {
        const id = this.#ids.get(node) ?? this.#ids.size;
        this.#ids.set(node, id);
        return id;
      })
      .join();
  }
}

export function entries(value: unknown): [string, unknown][] {
  return Object.entries(object(value));
}

export function child(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function stated(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Follows `$ref` until something else stands there; `{}` for what is no object. Throws {@link UserError} on a dead end. */
export function follow(spec: OpenApi, node: unknown): Json {
  const met = new Set<string>();
  let found = node;
  while (isObject(found) && typeof found["$ref"] === "string") {
    const ref = found["$ref"];
    if (met.has(ref)) throw new UserError(`$ref ${quote(ref)} leads to itself`);
    met.add(ref);
    found = resolve(spec, ref);
    if (found === undefined) throw new UserError(`$ref ${quote(ref)} leads nowhere`);
  }
  return object(found);
}

/** Everything that a value has to satisfy: the schemas themselves, and what `$ref` and `allOf` lead to. */
function conjunction(spec: OpenApi, schemas: unknown[], walked: Set<string>): Conjunction {
  const nodes: Json[] = [];
  const names: string[] = [];
  const add = (schema: unknown): void => {
    const node = schema === false ? { not: {} } : object(schema);
    if (nodes.includes(node)) return;
    const ref = node["$ref"];
    if (typeof ref === "string") {
      const name = schemaName(ref);
      if (names.includes(name)) return;
      names.push(name);
      walked.add(name);
      add(follow(spec, { $ref: ref }));
    }
    if (Object.keys(node).some((key) => key !== "$ref")) nodes.push(node);
    for (const part of arrays([node], "allOf")) add(part);
    for (const keyword of ["oneOf", "anyOf"]) {
      // "This or null" is OpenAPI 3.1's `nullable`: what holds for "this" holds.
      const members = arrays([node], keyword);
      const solid = members.filter((one) => child(one, "type") !== "null");
      if (solid.length === 1 && members.length > 1) add(solid[0]);
    }
  };
  for (const schema of schemas) add(schema);
  return { nodes, names };
}

/** What a `$ref` leads to, by its name in `components` where it has one. */
function schemaName(ref: string): string {
  return componentOf(ref)?.[1] ?? ref;
}

function values(nodes: Json[], keyword: string): unknown[] {
  return nodes.map((node) => child(node, keyword)).filter((value) => value !== undefined);
}

function arrays(nodes: Json[], keyword: string): unknown[] {
  return values(nodes, keyword).flatMap((value) => (Array.isArray(value) ? value : []));
}

/** A keyword's value, several of them as a list, undefined for none. */
function combined(nodes: Json[], keyword: string): unknown {
  const all = values(nodes, keyword);
  return all.length > 1 ? all : all[0];
}

function propertiesOf(nodes: Json[]): Map<string, unknown[]> {
  const properties = new Map<string, unknown[]>();
  for (const node of nodes)
    for (const [name, schema] of entries(node["properties"]))
      properties.set(name, [...(properties.get(name) ?? []), schema]);
  return properties;
}

function tuple(nodes: Json[]): unknown[] {
  const prefix = arrays(nodes, "prefixItems");
  return prefix.length > 0 ? prefix : arrays(nodes, "items");
}

/** The members of a oneOf or anyOf by schema name, those without one by their number. */
function alternatives(nodes: Json[], keyword: string): Map<string, unknown> {
  return new Map(
    arrays(nodes, keyword).map((node, index) => {
      const ref = child(node, "$ref");
      return [typeof ref === "string" ? schemaName(ref) : String(index + 1), node];
    }),
  );
}

function typesOf(nodes: Json[]): string[] {
  const types = values(nodes, "type").flatMap((type) => (Array.isArray(type) ? type : [type]));
  return [...new Set(strings(types))].sort();
}

/** true for integers, false for other numbers, undefined for what is no number. */
function isInteger(nodes: Json[]): boolean | undefined {
  const types = typesOf(nodes);
  if (types.includes("integer")) return true;
  return types.includes("number") ? false : undefined;
}

/** What TypeScript judges, as data. */
function shape({ nodes, names }: Conjunction): string {
  const required = [...new Set(arrays(nodes, "required"))].sort();
  const properties = [...propertiesOf(nodes).keys()].sort();
  const unions = ["oneOf", "anyOf"].map((keyword) => [...alternatives(nodes, keyword).keys()]);
  const enums = values(nodes, "enum").map((one) => (Array.isArray(one) ? one.map(String).sort() : one));
  return JSON.stringify([
    [...names].sort(),
    typesOf(nodes).map((type) => (type === "integer" ? "number" : type)),
    arrays(nodes, "allOf").length,
    values(nodes, "discriminator"),
    values(nodes, "nullable").includes(true),
    enums,
    values(nodes, "const"),
    properties,
    required,
    unions,
    values(nodes, "items").length > 0,
    tuple(nodes).length,
    values(nodes, "additionalProperties").filter((value) => isObject(value) || value === true).length,
  ]);
}

/** The alternatives that a schema names beside what it says itself. */
function unions({ nodes }: Conjunction): string {
  return JSON.stringify(["oneOf", "anyOf"].map((keyword) => [...alternatives(nodes, keyword).keys()]));
}

/** The strictest bound, where OpenAPI 3.0 says "exclusive" by a flag and 3.1 by a number. */
function bound(nodes: Json[], keyword: "minimum" | "maximum", sign: 1 | -1): Bound | undefined {
  const other = keyword === "minimum" ? "exclusiveMinimum" : "exclusiveMaximum";
  const bounds = nodes.flatMap((node): Bound[] => {
    const [plain, exclusive] = [node[keyword], node[other]];
    const found: Bound[] = [];
    if (typeof plain === "number") found.push({ value: plain, exclusive: exclusive === true });
    if (typeof exclusive === "number") found.push({ value: exclusive, exclusive: true });
    return found;
  });
  return strictest(bounds, sign);
}

function strictest(bounds: Bound[], sign: 1 | -1): Bound | undefined {
  return bounds.reduce<Bound | undefined>((best, one) => {
    if (best === undefined) return one;
    const further = sign * (one.value - best.value);
    return further > 0 || (further === 0 && one.exclusive) ? one : best;
  }, undefined);
}
