import { UserError } from "../command.js";
import {
  type OpenApi,
  type Path,
  follow,
  getIn,
  isObject,
  list,
  methods,
  object,
  printable,
  resolve,
  withoutBigints,
} from "./json.js";
import { keepPlaces, limits, parseSpec, place, readText } from "./parse.js";
import { type Kind, refOf, walk } from "./walk.js";

/** The extensions of this project. Others are orders to some generator, and one of them could name a variable. */
const extensions = new Set(["x-environment", "x-message-codes"]);

/** What ends a line. Generated code quotes everything else. */
const lineEnd = /[\p{Zl}\p{Zp}\p{Cc}]/u;
const onOneLine = "must stand on one line, without control characters";

/** Controls of writing direction (Unicode UAX #9): they make code look like something else than it is. */
export const bidi = /[\u202a-\u202e\u2066-\u2069]/gu;

/** The fields that hold text for people. */
export const proseKeys = new Set<string | number>(["description", "summary", "title", "$comment"]);

/**
 * Refuses a description that must not reach a generator: references that lead elsewhere, nowhere, in a circle or to
 * more than {@link limits} allow, names that generated code or a file could not hold as data, extensions that steer
 * generators, security schemes that are not described. `name` stands in error messages. Throws {@link UserError}, which
 * says where.
 */
export function checkSpec(spec: OpenApi, name: string): void {
  const refuse = (path: Path, problem: string): UserError => new UserError(`${place(spec, name, path)}: ${problem}`);
  if (!isObject(spec["info"])) throw refuse(["info"], "must be an object");
  if (!isObject(spec["paths"])) throw refuse(["paths"], "must be an object");
  const content = { ...spec["paths"], ...object(object(spec["components"])["schemas"]) };
  if (Object.keys(content).length === 0)
    throw refuse(["paths"], "must hold an operation, or there is nothing to generate");
  const operationIds = new Set<string>();
  const environments = new Set<string>();
  walk(spec, (entry) => {
    const { kind, key, value, path, parent } = entry;
    for (const text of [key, value]) {
      const hidden = typeof text === "string" ? hiddenProblem(text) : undefined;
      if (hidden !== undefined) throw refuse(path, hidden);
    }
    const badName =
      (kind === "names" && typeof key === "string" ? nameProblem(key, path) : undefined) ??
      (kind === "fields" && typeof key === "string" ? fieldProblem(key, value, path) : undefined);
    if (badName !== undefined) throw refuse(path, badName);
    const ref = refOf(entry);
    if (ref !== undefined) {
      const shown = printable(ref);
      if (!ref.startsWith("#/"))
        throw refuse(path, `the reference "${shown}" must start with "#/": what it leads to would be fetched`);
      // openapi-typescript knows no bare names.
      if (ref !== value) throw refuse(path, `must be written in full: ${shown}`);
      if (resolve(spec, ref) === undefined) throw refuse(path, `the reference "${shown}" leads nowhere`);
      return;
    }
    const problem = typeof value === "string" ? textProblem(value, key, path, kind) : undefined;
    if (problem !== undefined) throw refuse(path, problem);
    if (kind !== "fields") return;
    // Links name operations too.
    if (key === "operationId" && path[0] === "paths" && path.length === 4) {
      const id = String(value);
      if (operationIds.has(id)) throw refuse(path, `the operationId "${id}" stands twice`);
      operationIds.add(id);
    }
    if (key === "x-environment") {
      const environment = String(value);
      if (environments.has(environment)) throw refuse(path, `the environment "${environment}" stands twice`);
      environments.add(environment);
      const url = isObject(parent) ? parent["url"] : undefined;
      if (typeof url !== "string" || !isSafeUrl(url))
        throw refuse(path, "the url of an environment must be https: with nothing to fill in");
    }
    if (key === "security")
      for (const scheme of list(value).flatMap((requirement) => Object.keys(object(requirement))))
        if (getIn(spec, ["components", "securitySchemes", scheme]) === undefined)
          throw refuse(path, `the security scheme "${printable(scheme)}" is not described`);
    if (path[0] === "paths" && path.length === 3 && methods.includes(String(key))) {
      const undeclared = undeclaredParameter(spec, path);
      if (undeclared !== undefined)
        throw refuse(path, `no parameter with "in: path" describes the {${printable(undeclared)}} of the path`);
    }
  });
  checkExpansion(spec, refuse);
}

/** A name in the template of an operation's path that none of its parameters has. */
function undeclaredParameter(spec: OpenApi, path: Path): string | undefined {
  const [, route = "", method = ""] = path;
  const item = object(getIn(spec, ["paths", route]));
  const declared = [item, object(item[method])]
    .flatMap(({ parameters }) => list(parameters).map((parameter) => follow(spec, parameter)))
    .filter((parameter) => parameter["in"] === "path")
    .map((parameter) => parameter["name"]);
  // What follows is no part of a path, and some describe it as what it is.
  const [template = ""] = String(route).split(/[?#]/);
  return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, each = ""]) => each).find((each) => !declared.includes(each));
}

/** What is refused wherever it stands, since it works in a comment or a string of generated code as well. */
function hiddenProblem(text: string): string | undefined {
  if (text.search(bidi) >= 0) return "holds a control character of writing direction, behind which text can hide";
  return /@ts-(?:nocheck|ignore|expect-error)/.test(text) ? "holds an order to the TypeScript compiler" : undefined;
}

function nameProblem(key: string, path: Path): string | undefined {
  if (!isDecodable(key)) return "a name has no '%' but for percent-encoding, which openapi-typescript decodes";
  const map = path.at(-2);
  if (map === "paths" && path.length === 2)
    return key.length <= limits.pathLength && /^\/(?:[^{}\\\s\p{Cc}\p{Zl}\p{Zp}]| |\{[^{}/\p{Cc}]+\})*$/u.test(key)
      ? undefined
      : `a path starts with "/", has {names} in braces alone, no backslash, and at most ${limits.pathLength} characters`;
  const length = path[0] === "components" && path.length === 3 ? limits.nameLength : limits.pathLength;
  if (key.length > length) return `a name has at most ${length} characters`;
  if (path[0] === "components" && path.length === 3)
    return /^[A-Za-z0-9._-]+$/.test(key) ? undefined : "a component's name has only letters, digits, '.', '_' and '-'";
  if (map === "content")
    return /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+\s*(?:;[^\p{Cc}\p{Zl}\p{Zp}]*)?$/u.test(key)
      ? undefined
      : "must be a media type, such as application/json";
  if (map === "responses" && path[0] === "paths")
    return /^(?:[1-5]\d\d|[1-5]XX|default)$/.test(key)
      ? undefined
      : "must be an HTTP status, such as 200, 2XX or default";
  return lineEnd.test(key) ? `a name ${onOneLine}` : undefined;
}

/** Whether text can be an operationId or the name of a component in generated code. */
export function isUsableName(text: string): boolean {
  return /^[A-Za-z_][\w.-]*$/.test(text) && text.length <= limits.nameLength;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The fields of a path item (OpenAPI 3.1, section 4.8.9). A method's name becomes part of an example. */
const pathItemFields = new Set(["$ref", "summary", "description", "servers", "parameters", ...methods]);

function fieldProblem(key: string, value: unknown, path: Path): string | undefined {
  if (key.startsWith("x-")) return extensionProblem(key, value);
  if (path[0] === "paths" && path.length === 3)
    return pathItemFields.has(key) ? undefined : "is no method and no other field of a path";
  return /^\$?[A-Za-z]+$/.test(key) ? undefined : "is no field that OpenAPI or JSON Schema has";
}

function extensionProblem(key: string, value: unknown): string | undefined {
  if (!extensions.has(key)) return `an extension that generators could obey; allowed are ${[...extensions].join(", ")}`;
  if (key === "x-environment")
    return typeof value === "string" && /^[a-z][a-z0-9-]*$/.test(value)
      ? undefined
      : "must be a name of lower-case letters, digits and '-'";
  return Array.isArray(value) && value.every((code) => typeof code === "string")
    ? undefined
    : "must be a list of strings";
}

const sampleKeys = new Set<string | number>(["default", "example", "value"]);

/** Whether data becomes names of generated code or docs: an enum's values, message codes, an operation's scopes. */
function isNamed(path: Path): boolean {
  const container = path.at(-2);
  return container === "enum" || container === "x-message-codes" || path.at(-4) === "security";
}

function textProblem(text: string, key: string | number, path: Path, kind: Kind): string | undefined {
  const map = path.at(-2);
  // A scope's text is prose as well.
  if ((kind === "fields" && proseKeys.has(key)) || (kind === "names" && map === "scopes"))
    return text.includes("*/") || /[\p{Zl}\p{Zp}]/u.test(text)
      ? "would end a comment of generated code: write no '*/' and no Unicode line separator"
      : undefined;
  if (kind === "fields" && key === "operationId")
    return isUsableName(text)
      ? undefined
      : "an operationId has only letters, digits, '_', '.' and '-', and starts with a letter";
  // Regular expressions need backslashes, and samples may hold anything: generators quote both.
  if (kind === "data" ? !isNamed(path) : key === "pattern" || sampleKeys.has(key))
    return /[\p{Zl}\p{Zp}]/u.test(text) ? "holds a Unicode line separator" : undefined;
  return lineEnd.test(text) ? onOneLine : undefined;
}

/** Whether secrets may be sent there: encrypted, or to this machine alone. */
export function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || /[{}]|%7b/i.test(text)) return false;
  const isLoopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback);
}

/** Refuses references that lead in a circle, through too many others, or to too much: generators write them out. */
function checkExpansion(spec: OpenApi, refuse: (path: Path, problem: string) => UserError): void {
  const weights = new Map<string, number>();
  const active = new Set<string>();
  const weigh = (value: unknown): number => {
    if (typeof value !== "object" || value === null) return 1;
    let weight = 1;
    for (const [key, member] of Object.entries(value)) {
      weight += key === "$ref" && typeof member === "string" ? weighRef(member) : weigh(member);
    }
    return weight;
  };
  const weighRef = (ref: string): number => {
    const known = weights.get(ref);
    if (known !== undefined) return known;
    // A schema that holds itself, such as a tree, is written out once.
    if (active.has(ref)) return 1;
    active.add(ref);
    const weight = weigh(resolve(spec, ref));
    active.delete(ref);
    weights.set(ref, weight);
    return weight;
  };
  let path: Path = [];
  const units: Path[] = Object.keys(spec["paths"] ?? {}).map((key) => ["paths", key]);
  for (const [kind, components] of Object.entries(spec["components"] ?? {}))
    for (const key of Object.keys(Object(components))) units.push(["components", kind, key]);
  try {
    for (path of units)
      if (weigh(getIn(spec, path)) > limits.expandedValues)
        throw refuse(path, `its references hold more than ${limits.expandedValues} values`);
  } catch (error) {
    // A chain of references as long as the stack is deep.
    if (error instanceof RangeError) throw refuse(path, "its references lead through too many others");
    throw error;
  }
  walk(spec, ({ key, value, path: at }) => {
    let ref = key === "$ref" ? value : undefined;
    for (let steps = 0; typeof ref === "string"; steps++) {
      if (steps > limits.depth) throw refuse(at, "the reference leads only to further references");
      const target = resolve(spec, ref);
      ref = isObject(target) ? target["$ref"] : undefined;
    }
  });
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
