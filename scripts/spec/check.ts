import { UserError } from "../cli.js";
import type { OpenApi, Path } from "./json.js";
import {
  decoded,
  follow,
  getIn,
  isObject,
  list,
  object,
  printable,
  resolve,
  schemasOf,
  strayPercent,
  withoutBigints,
} from "./json.js";
import { parametersOf } from "./operations.js";
import { keepPlaces, limits, parseSpec, place, readText } from "./parse.js";
import { type Entry, type Kind, hasNames, misfit, refOf, walk } from "./walk.js";

/** What ends a line. Generated code quotes everything else. */
const lineEnd = /[\p{Zl}\p{Zp}\p{Cc}]/u;
const onOneLine = "must stand on one line, without control characters";

/** Controls of writing direction (Unicode UAX #9): they make code look like something else than it is. */
export const bidi = /[\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Refuses a description that must not reach a generator: references that lead elsewhere, nowhere, in a circle or to
 * more than {@link limits} allow, names that generated code or a file could not hold as data, extensions that steer
 * generators, security schemes that are not described. `name` stands in error messages. Throws {@link UserError}, which
 * says where.
 */
export function checkSpec(spec: OpenApi, name: string): void {
  const refuse = (path: Path, problem: string): UserError => new UserError(`${place(spec, name, path)}: ${problem}`);
  for (const key of ["info", "paths"]) if (!isObject(spec[key])) throw refuse([key], "must be an object");
  if (Object.keys({ ...object(spec["paths"]), ...schemasOf(spec) }).length === 0)
    throw refuse(["paths"], "must hold an operation, or there is nothing to generate");
  const rules = [
    hiddenRule,
    nameRule,
    fieldRule,
    typeRule,
    expansionRule(spec),
    refRule,
    textRule,
    parameterRule,
    operationRule,
  ];
  const taken = new Set<string>();
  walk(spec, (entry) => {
    for (const rule of rules) {
      const problem = rule(entry, spec);
      if (problem !== undefined) throw refuse(entry.path, problem);
    }
    const once = onceOnly(entry);
    if (once === undefined) return;
    if (taken.has(once)) throw refuse(entry.path, `the ${once} stands twice`);
    taken.add(once);
  });
}

/** What a rule says of a part of the description: a problem, if it does not hold. */
function unless(holds: boolean, problem: string): string | undefined {
  return holds ? undefined : problem;
}

/** What may stand once in a description: its name, undefined for anything else. */
function onceOnly({ kind, holder, key, value, path }: Entry): string | undefined {
  if (kind === "extension" && key === "x-environment") return `environment "${String(value)}"`;
  const isId = holder === "operation" && key === "operationId" && path.length === 4;
  return isId ? `operationId "${String(value)}"` : undefined;
}

/** What is refused wherever it stands, since it works in a comment or a string of generated code as well. */
function hiddenRule({ key, value }: Entry): string | undefined {
  const texts = [key, value].filter((text) => typeof text === "string");
  if (texts.some((text) => text.search(bidi) >= 0))
    return "holds a control character of writing direction, behind which text can hide";
  const isOrder = texts.some((text) => /@ts-(?:nocheck|ignore|expect-error)/.test(text));
  return unless(!isOrder, "holds an order to the TypeScript compiler");
}

/** What a name has to be: all rows apply whose condition holds for the kind of its container and for its path. */
const names: readonly (readonly [isFor: (holder: Kind, path: Path) => boolean, pattern: RegExp, says: string])[] = [
  [
    (holder) => holder === "paths",
    /^\/(?:[^{}\\\s\p{Cc}\p{Zl}\p{Zp}]| |\{[^{}/\p{Cc}]+\})*$/u,
    'a path starts with "/", has {names} in braces alone, and no backslash',
  ],
  [
    (_, path) => isComponent(path),
    /^[A-Za-z0-9._-]+$/,
    "a component's name has only letters, digits, '.', '_' and '-'",
  ],
  [
    (holder, path) => holder === "mediaType{}" && !isComponent(path),
    /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+\s*(?:;[^\p{Cc}\p{Zl}\p{Zp}]*)?$/u,
    "must be a media type, such as application/json",
  ],
  [
    (holder) => holder === "responses",
    /^(?:[1-5]\d\d|[1-5]XX|default)$/,
    "must be an HTTP status, such as 200, 2XX or default",
  ],
  [() => true, /^[^\p{Zl}\p{Zp}\p{Cc}]*$/u, `a name ${onOneLine}`],
];

function isComponent(path: Path): boolean {
  return path[0] === "components" && path.length === 3;
}

function nameRule({ kind, holder, key: given, value, path }: Entry): string | undefined {
  const key = kind === "name" ? value : hasNames(holder) && kind !== "extension" && kind !== "ref" ? given : undefined;
  if (typeof key !== "string") return undefined;
  if (holder === "paths" && decoded(key) === undefined) return "a path has no '%' but for percent-encoding";
  if (decoded(key.replaceAll(strayPercent, "")) === undefined)
    return "a name has no '%' before two hexadecimal digits, unless they encode a character";
  const length = isComponent(path) ? limits.nameLength : limits.pathLength;
  if (key.length > length) return `a name has at most ${length} characters`;
  return names.find(([isFor, pattern]) => isFor(holder, path) && !pattern.test(key))?.[2];
}

/** Whether text can be an operationId or the name of a component in generated code. */
export function isUsableName(text: string): boolean {
  return /^[A-Za-z_][\w.-]*$/.test(text) && text.length <= limits.nameLength;
}

function fieldRule(entry: Entry): string | undefined {
  const { kind, holder, key } = entry;
  if (kind === "extension") return extensionRule(entry);
  if (
    holder === "pathItem" &&
    (kind === "unknown" || kind === "operation{}" || (kind === "operation" && key === "query"))
  )
    return "is no field of a path, and no method that openapi-fetch can call";
  return unless(kind !== "unknown", "is no field that OpenAPI or JSON Schema has");
}

function typeRule({ kind, value }: Entry): string | undefined {
  const expected = misfit(kind, value);
  return expected === undefined ? undefined : `must be ${expected}`;
}

/** This project has two extensions. Others are orders to some generator, and one of them could name a variable. */
function extensionRule({ key, value, parent }: Entry): string | undefined {
  if (key === "x-message-codes")
    return unless(Array.isArray(value) && value.every((code) => typeof code === "string"), "must be a list of strings");
  if (key !== "x-environment")
    return "an extension that generators could obey; allowed are x-environment, x-message-codes";
  if (typeof value !== "string" || !/^[a-z][a-z0-9-]*$/.test(value))
    return "must be a name of lower-case letters, digits and '-'";
  const url = String(object(parent)["url"]);
  return unless(isSafeUrl(url), "the url of an environment must be https: with nothing to fill in");
}

/**
 * Finds what generators would write out without end, when its path or component is met: references that lead through too
 * many others, or to too much.
 */
function expansionRule(spec: OpenApi): (entry: Entry) => string | undefined {
  const weights = new Map<string, number>();
  const weigh = (value: unknown): number => {
    if (typeof value !== "object" || value === null) return 1;
    let weight = 1;
    for (const [key, member] of Object.entries(value))
      weight += key === "$ref" && typeof member === "string" ? weighRef(member) : weigh(member);
    return weight;
  };
  const weighRef = (ref: string): number => {
    const known = weights.get(ref);
    if (known !== undefined) return known;
    // A schema that holds itself, such as a tree, is written out once.
    weights.set(ref, 1);
    const weight = weigh(resolve(spec, ref));
    weights.set(ref, weight);
    return weight;
  };
  return ({ value, path, holder }) => {
    if (!isComponent(path) && holder !== "paths") return undefined;
    try {
      if (weigh(value) <= limits.expandedValues) return undefined;
      return `its references hold more than ${limits.expandedValues} values`;
    } catch (error) {
      // A chain of references as long as the stack is deep.
      if (error instanceof RangeError) return "its references lead through too many others";
      throw error;
    }
  };
}

function refRule(entry: Entry, spec: OpenApi): string | undefined {
  const ref = refOf(entry);
  if (ref === undefined) return undefined;
  const shown = printable(ref);
  if (ref === "#" || /^#[^/]/.test(ref))
    return `the reference "${shown}" must start with "#/": no schema, or not one alone, has this name`;
  if (!ref.startsWith("#/"))
    return `the reference "${shown}" must start with "#/", since no other document is read: \`npx @redocly/cli bundle\` makes one of several`;
  // openapi-typescript knows no bare names.
  if (ref !== entry.value) return `must be written in full: ${shown}`;
  if (resolve(spec, ref) === undefined) return `the reference "${shown}" leads nowhere`;
  return "$ref" in follow(spec, { $ref: ref }) ? "the reference leads only to further references" : undefined;
}

/** Whether data becomes names of generated code or docs: an enum's values, message codes. */
function isNamed(path: Path): boolean {
  return path.at(-2) === "enum" || path.at(-2) === "x-message-codes";
}

function textRule({ value: text, key, path, kind, holder }: Entry): string | undefined {
  if (typeof text !== "string") return undefined;
  if (kind === "prose")
    return unless(
      !/\*\/|[\p{Zl}\p{Zp}]/u.test(text),
      "would end a comment of generated code: write no '*/' and no Unicode line separator",
    );
  if (holder === "operation" && key === "operationId")
    return unless(
      isUsableName(text),
      "an operationId has only letters, digits, '_', '.' and '-', and starts with a letter",
    );
  // Regular expressions need backslashes, and samples may hold anything: generators quote both.
  if (kind === "data" ? !isNamed(path) : holder === "schema" && key === "pattern")
    return unless(!/[\p{Zl}\p{Zp}]/u.test(text), "holds a Unicode line separator");
  return unless(!lineEnd.test(text), onOneLine);
}

function parameterRule({ kind, value }: Entry): string | undefined {
  const isString = kind === "parameter" && object(value)["in"] === "querystring";
  return unless(
    !isString,
    'openapi-fetch takes no "in: querystring", but for application/x-www-form-urlencoded with an object that lists its properties',
  );
}

function operationRule({ kind, value, path }: Entry, spec: OpenApi): string | undefined {
  if (kind === "scope[]{}[]") {
    const schemes = list(value).flatMap((requirement) => Object.keys(object(requirement)));
    const unknown = schemes.find((scheme) => getIn(spec, ["components", "securitySchemes", scheme]) === undefined);
    return unless(unknown === undefined, `the security scheme "${printable(unknown ?? "")}" is not described`);
  }
  if (kind !== "operation" || path[0] !== "paths" || path.length !== 3) return undefined;
  const declared = parametersOf(spec, { item: object(getIn(spec, path.slice(0, 2))), fields: object(value) })
    .filter((parameter) => parameter["in"] === "path")
    .map(({ name }) => name);
  // What follows is no part of a path, and some describe it as what it is.
  const [template = ""] = String(path[1]).split(/[?#]/);
  const inPath = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, parameter = ""]) => parameter);
  const missing = inPath.find((parameter) => !declared.includes(parameter));
  if (missing === undefined) return undefined;
  return `no parameter with "in: path" describes the {${printable(missing)}} of the path`;
}

/** Whether secrets may be sent there: encrypted, or to this machine alone. */
export function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || /[{}]|%7b/i.test(text)) return false;
  const isLoopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback);
}

/**
 * Reads, parses and checks the description in a file. Integers that no number can hold become the nearest number. Throws
 * {@link UserError}.
 */
export async function readSpec(path: string): Promise<OpenApi> {
  const spec = await readExactSpec(path);
  return keepPlaces(spec, withoutBigints(spec, Number));
}

/** Like {@link readSpec}, with bigints for integers that no number can hold: no digit is lost. */
export async function readExactSpec(path: string): Promise<OpenApi> {
  const spec = parseSpec(await readText(path), path);
  checkSpec(spec, path);
  return spec;
}
