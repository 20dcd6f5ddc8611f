import { UserError } from "../cli.js";
import {
  type OpenApi,
  type Path,
  decoded,
  follow,
  getIn,
  isObject,
  asArray,
  asObject,
  printable,
  resolve,
  schemasOf,
  strayPercent,
} from "./json.js";
import { parametersOf } from "./operations.js";
import { bidi, isSafeUrl, isUsableName } from "./names.js";
import { limits, place } from "./parse.js";
import { type Entry, hasNames, misfit, refOf, walk } from "./walk.js";

/** Characters that end a line. Generated code quotes all others. */
const lineEnd = /[\p{Zl}\p{Zp}\p{Cc}]/u;
const onOneLine = "must be on one line, without control characters";

/**
 * Refuses a description that must not reach a generator: references that lead elsewhere, nowhere, in a circle or to
 * more than {@link limits} allow, names that generated code or a file could not hold as data, extensions that configure
 * generators, security schemes that are not described. `name` is used in error messages. Throws {@link UserError} with
 * the place.
 */
export function checkSpec(spec: OpenApi, name: string): void {
  const refuse = (path: Path, problem: string): UserError => new UserError(`${place(spec, name, path)}: ${problem}`);
  for (const key of ["info", "paths"]) if (!isObject(spec[key])) throw refuse([key], "must be an object");
  if (Object.keys({ ...asObject(spec["paths"]), ...schemasOf(spec) }).length === 0)
    throw refuse(["paths"], "must hold an operation, or there is nothing to generate");
  const rules = [
    hiddenRule,
    nameRule,
    fieldRule,
    parameterRule,
    typeRule,
    expansionRule(spec),
    refRule,
    textRule,
    operationRule,
    onceRule(),
  ];
  walk(spec, (entry) => {
    for (const rule of rules) {
      const problem = rule(entry, spec);
      if (problem !== undefined) throw refuse(entry.path, problem);
    }
  });
}

/** Finds names that a description has twice. */
function onceRule(): (entry: Entry) => string | undefined {
  const taken = new Set<string>();
  return ({ kind, holder, key, value, path }) => {
    const isEnvironment = kind === "extension" && key === "x-environment";
    const isId = holder === "operation" && key === "operationId" && path.length === 4;
    if (!isEnvironment && !isId) return undefined;
    const name = `${isId ? "operationId" : "environment"} "${String(value)}"`;
    if (taken.has(name)) return `the ${name} is used twice`;
    taken.add(name);
    return undefined;
  };
}

/** Refuses text that does harm anywhere, also in a comment or a string of generated code. */
function hiddenRule({ key, value }: Entry): string | undefined {
  const texts = [key, value].filter((text) => typeof text === "string");
  if (texts.some((text) => text.search(bidi) >= 0))
    return "holds a control character of writing direction, behind which text can hide";
  const isDirective = texts.some((text) => /@ts-(?:nocheck|ignore|expect-error)/.test(text));
  return isDirective ? "holds a directive to the TypeScript compiler" : undefined;
}

function isComponent(path: Path): boolean {
  return path[0] === "components" && path.length === 3;
}

function nameRule({ kind, holder, key: given, value, path }: Entry): string | undefined {
  const key = kind === "name" ? value : hasNames(holder) && kind !== "extension" && kind !== "ref" ? given : undefined;
  if (typeof key !== "string") return undefined;
  if (holder === "paths" && decoded(key) === undefined) return "a path may contain '%' only in percent-encoding";
  if (decoded(key.replaceAll(strayPercent, "")) === undefined)
    return "a name may contain '%' before two hexadecimal digits only if they encode a character";
  const length = isComponent(path) ? limits.nameLength : limits.pathLength;
  if (key.length > length) return `a name must have at most ${length} characters`;
  if (holder === "paths" && !/^\/(?:[^{}\\\s\p{Cc}\p{Zl}\p{Zp}]| |\{[^{}/\p{Cc}]+\})*$/u.test(key))
    return 'a path must start with "/", with braces only around names, and without backslashes';
  if (isComponent(path) && !/^[A-Za-z0-9._-]+$/.test(key))
    return "a component's name may contain only letters, digits, '.', '_' and '-'";
  const isMediaType = /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+\s*(?:;[^\p{Cc}\p{Zl}\p{Zp}]*)?$/u.test(key);
  if (holder === "mediaType{}" && !isComponent(path) && !isMediaType)
    return "must be a media type, such as application/json";
  if (holder === "responses" && !/^(?:[1-5]\d\d|[1-5]XX|default)$/.test(key))
    return "must be an HTTP status, such as 200, 2XX or default";
  return lineEnd.test(key) ? `a name ${onOneLine}` : undefined;
}

function fieldRule(entry: Entry): string | undefined {
  const { kind, holder, key } = entry;
  if (kind === "extension") return extensionRule(entry);
  const isUnknown = kind === "unknown";
  if (holder === "pathItem" && (isUnknown || kind === "operation{}" || (kind === "operation" && key === "query")))
    return "is neither a field of a path nor a method that openapi-fetch can call";
  return isUnknown ? "is not a field of OpenAPI or JSON Schema" : undefined;
}

/** openapi-typescript leaves out a parameter of another place, even if it is required. */
function parameterRule({ kind, value }: Entry): string | undefined {
  if (kind !== "parameter" || !isObject(value) || "$ref" in value) return undefined;
  const { in: place, name } = value;
  if (place === "querystring")
    return 'openapi-fetch takes no "in: querystring", except for application/x-www-form-urlencoded with an object that lists its properties';
  const isComplete = name !== undefined && ["query", "header", "path", "cookie"].includes(String(place));
  return isComplete ? undefined : 'must have a "name", and "in: query", "in: header", "in: path" or "in: cookie"';
}

function typeRule({ kind, value }: Entry): string | undefined {
  const expected = misfit(kind, value);
  return expected === undefined ? undefined : `must be ${expected}`;
}

/** This project has two extensions. Others configure some generator, and one of them could name a variable. */
function extensionRule({ key, value, parent }: Entry): string | undefined {
  if (key === "x-message-codes") {
    const isList = Array.isArray(value) && value.every((code) => typeof code === "string");
    return isList ? undefined : "must be a list of strings";
  }
  if (key !== "x-environment")
    return "an extension that could change what generators do; only x-environment and x-message-codes are allowed";
  if (typeof value !== "string" || !/^[a-z][a-z0-9-]*$/.test(value))
    return "must be a name of lower-case letters, digits and '-'";
  const isSafe = isSafeUrl(String(asObject(parent)["url"]));
  return isSafe ? undefined : "the url of an environment must be https: without variables";
}

/** Finds references that generators would follow without end, when their path or component is visited: to too much, or too far. */
function expansionRule(spec: OpenApi): (entry: Entry) => string | undefined {
  const weights = new Map<string, number>();
  const weigh = (value: unknown, depth: number): number => {
    if (typeof value !== "object" || value === null) return 1;
    if (depth > limits.expandedDepth) return Infinity;
    let weight = 1;
    for (const [key, member] of Object.entries(value))
      weight += key === "$ref" && typeof member === "string" ? weighRef(member, depth) : weigh(member, depth + 1);
    return weight;
  };
  const weighRef = (ref: string, depth: number): number => {
    const known = weights.get(ref);
    if (known !== undefined) return known;
    // A schema that holds itself, such as a tree, is written out once.
    weights.set(ref, 1);
    const weight = weigh(resolve(spec, ref), depth + 1);
    weights.set(ref, weight);
    return weight;
  };
  return ({ value, path, holder }) => {
    if (!isComponent(path) && holder !== "paths") return undefined;
    const weight = weigh(value, 0);
    if (weight <= limits.expandedValues) return undefined;
    if (weight === Infinity) return `its references lead through more than ${limits.expandedDepth} levels`;
    return `its references hold more than ${limits.expandedValues} values`;
  };
}

function refRule(entry: Entry, spec: OpenApi): string | undefined {
  const ref = refOf(entry);
  if (ref === undefined) return undefined;
  const shown = printable(ref);
  if (ref === "#" || /^#[^/]/.test(ref))
    return `the reference "${shown}" must start with "#/": no schema, or more than one, has this anchor`;
  if (!ref.startsWith("#/"))
    return `the reference "${shown}" must start with "#/", since other documents are not read: bundle them with \`npx @redocly/cli bundle\``;
  // openapi-typescript knows no bare names.
  if (ref !== entry.value) return `must be written in full: ${shown}`;
  if (resolve(spec, ref) === undefined) return `the reference "${shown}" leads nowhere`;
  return "$ref" in follow(spec, { $ref: ref }) ? "the reference leads only to further references" : undefined;
}

function textRule({ value: text, key, kind, holder }: Entry): string | undefined {
  if (typeof text !== "string") return undefined;
  const hasSeparator = /[\p{Zl}\p{Zp}]/u.test(text);
  if (kind === "prose" && (hasSeparator || text.includes("*/")))
    return "would end a comment of generated code: write no '*/' and no Unicode line separator";
  if (holder === "operation" && key === "operationId" && !isUsableName(text))
    return "an operationId may contain only letters, digits, '_', '.' and '-', and must start with a letter or '_'";
  // Regular expressions need backslashes, and samples may hold anything: generators quote both.
  if (kind === "data" || (holder === "schema" && key === "pattern"))
    return hasSeparator ? "holds a Unicode line separator" : undefined;
  return kind !== "prose" && lineEnd.test(text) ? onOneLine : undefined;
}

function operationRule({ kind, value, path }: Entry, spec: OpenApi): string | undefined {
  if (kind === "scope[]{}[]") {
    const schemes = asArray(value).flatMap((requirement) => Object.keys(asObject(requirement)));
    const unknown = schemes.find((scheme) => getIn(spec, ["components", "securitySchemes", scheme]) === undefined);
    return unknown === undefined ? undefined : `the security scheme "${printable(unknown)}" is not described`;
  }
  if (kind !== "operation" || path[0] !== "paths" || path.length !== 3) return undefined;
  const declared = parametersOf(spec, { item: asObject(getIn(spec, path.slice(0, 2))), fields: asObject(value) })
    .filter((parameter) => parameter["in"] === "path")
    .map(({ name }) => name);
  // A query or fragment is not part of a path.
  const [template = ""] = String(path[1]).split(/[?#]/);
  const inPath = [...template.matchAll(/\{([^{}]*)\}/g)].map(([, parameter = ""]) => parameter);
  const missing = inPath.find((parameter) => !declared.includes(parameter));
  if (missing === undefined) return undefined;
  return `no parameter with "in: path" describes the {${printable(missing)}} of the path`;
}
