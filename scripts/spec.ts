import { readFile, stat } from "node:fs/promises";
import { CST, Lexer, LineCounter, isAlias, isCollection, isMap, isNode, isScalar, parseDocument, visit } from "yaml";
import type { Document, Node } from "yaml";
import { Refusal } from "./command.js";

/** A JSON object of unknown content. */
export type Json = { [key: string]: unknown };

/** An OpenAPI 3.0 or 3.1 document as plain JSON data. Nothing is promised of what stands below its top. */
export type OpenApi = Json & { openapi: string };

/** The way from a document's root to a value: keys, and indexes as numbers. */
export type Path = readonly (string | number)[];

/** What a description may be at most. All are far above what the provider publishes, and low enough to end soon. */
export const limits = {
  /** Bytes of text. */
  bytes: 5_000_000,
  /** Lexical tokens of YAML: some cost the parser a hundred times their length. */
  tokens: 1_000_000,
  /** Levels of nesting. */
  depth: 100,
  /** YAML aliases. */
  aliases: 1_000,
  /** Values, once aliases are written out. */
  values: 500_000,
  /** Values of one component once its `$ref`s are written out. */
  expandedValues: 1_000_000,
  /** Characters of a name. */
  nameLength: 200,
};

/** Where values stood in the text they were parsed from. */
interface Source {
  document: Document;
  lines: LineCounter;
}

const sources = new WeakMap<object, Source>();

/** Lets places in `copy`, made from parts of `original`, be found in the original's text. */
export function keepPlaces<T extends object>(original: object, copy: T): T {
  const source = sources.get(original);
  if (source !== undefined) sources.set(copy, source);
  return copy;
}

/** A place as people look it up: `name:line:column: #/json/pointer`, without the numbers where they are not known. */
export function place(root: object, name: string, path: Path): string {
  const source = sources.get(root);
  let node: unknown = source?.document.contents;
  for (const step of path) {
    const whole = isAlias(node) && source !== undefined ? node.resolve(source.document) : node;
    node = isCollection(whole) ? whole.get(step, true) : undefined;
  }
  const offset = isNode(node) ? node.range?.[0] : undefined;
  return `${at(name, source, offset)}: ${pointer(path)}`;
}

function at(name: string, source: Source | undefined, offset: number | undefined): string {
  if (source === undefined || offset === undefined) return name;
  const { line, col } = source.lines.linePos(offset);
  return `${name}:${line}:${col}`;
}

function pointer(path: Path): string {
  return printable(["#", ...path.map((step) => escapeStep(String(step)))].join("/"));
}

/** A key as a step of a JSON pointer (RFC 6901, section 3). */
export function escapeStep(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The key that a step of a JSON pointer stands for (RFC 6901, section 4). */
export function unescapeStep(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Text of a description inside a message: on one line, without control characters, at most 200 characters. */
export function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "\u{fffd}");
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value where it is an object, else an empty one. */
export function object(value: unknown): Json {
  return isObject(value) ? value : {};
}

/**
 * Reads a file of at most {@link limits}.bytes. Throws {@link Refusal} for one that is not there, is no file, may not be
 * read or is larger.
 */
export async function readBytes(path: string): Promise<Buffer> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new Refusal(`${path} is not a file`);
    if (stats.size > limits.bytes) throw tooLarge(path);
    return await readFile(path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") throw new Refusal(`there is no file ${path}`);
    if (code === "EACCES" || code === "EPERM") throw new Refusal(`${path} may not be read`);
    throw error;
  }
}

/** Reads a file as UTF-8 text; see {@link readBytes}. */
export async function readText(path: string): Promise<string> {
  return decode(await readBytes(path), path);
}

export function tooLarge(name: string): Refusal {
  return new Refusal(`${name} is larger than ${limits.bytes / 1e6} MB`);
}

/** Bytes as UTF-8 text, without a byte order mark. Throws {@link Refusal} where they are something else. */
export function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal(`${name} is not UTF-8 text`);
  }
}

/**
 * Parses YAML or JSON text into JSON values that share nothing with each other: only own, enumerable properties, no
 * key that every JavaScript object has, no cycles. `name` stands in error messages. Time and memory are bounded by
 * {@link limits}. Throws {@link Refusal}.
 */
export function parseYaml(text: string, name: string): unknown {
  if (Buffer.byteLength(text) > limits.bytes) throw tooLarge(name);
  refuseBombs(text, name);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.2",
    lineCounter: lines,
    prettyErrors: false,
    // The library compares each key with all before it; `refuseKeys` does not.
    uniqueKeys: false,
  });
  const source = { document, lines };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    if (problem.message.startsWith("Maximum call stack")) throw tooDeep(name);
    const words = printable(problem.message).replace(/[.:]$/, "");
    throw new Refusal(`${at(name, source, problem.pos[0])}: broken YAML: ${words}`);
  }
  refuseKeys(source, name);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: limits.aliases });
  } catch {
    throw new Refusal(`${name}: its YAML aliases refer to nothing or multiply beyond bounds`);
  }
  if (isObject(value) || Array.isArray(value)) sources.set(value, source);
  refuseValues(value, name);
  const copy: unknown = JSON.parse(JSON.stringify(value ?? null));
  if (isObject(copy) || Array.isArray(copy)) sources.set(copy, source);
  return copy;
}

/** Counts the tokens whose numbers cost the parser more than they should, before it sees them. */
function refuseBombs(text: string, name: string): void {
  let flow = 0;
  let inLine = 0;
  let aliases = 0;
  let inScalar = false;
  let tokens = 0;
  for (const token of new Lexer().lex(text)) {
    if (++tokens > limits.tokens) throw new Refusal(`${name} has more than ${limits.tokens} YAML tokens`);
    if (inScalar) {
      inScalar = false;
      continue;
    }
    switch (CST.tokenType(token)) {
      case "scalar":
        inScalar = true;
        break;
      case "flow-map-start":
      case "flow-seq-start":
        flow++;
        break;
      case "flow-map-end":
      case "flow-seq-end":
        flow--;
        break;
      case "seq-item-ind":
      case "explicit-key-ind":
        inLine++;
        break;
      case "newline":
        inLine = 0;
        break;
      case "alias":
        aliases++;
        break;
      default:
    }
    if (Math.max(flow, inLine) > limits.depth) throw tooDeep(name);
    if (aliases > limits.aliases) throw new Refusal(`${name} has more than ${limits.aliases} YAML aliases`);
  }
}

function tooDeep(name: string): Refusal {
  return new Refusal(`${name} is nested deeper than ${limits.depth} levels`);
}

/** Refuses a key that stands twice in one mapping, is no plain scalar, or is one that JavaScript's objects inherit. */
function refuseKeys(source: Source, name: string): void {
  const refuse = (node: Node, problem: string): Refusal =>
    new Refusal(`${at(name, source, node.range?.[0])}: ${problem}`);
  visit(source.document, {
    Collection(_, node, path) {
      if (path.length > 2 * limits.depth) throw tooDeep(name);
      if (!isMap(node)) return;
      const keys = new Set<string>();
      for (const { key } of node.items) {
        if (!isScalar(key)) throw refuse(node, "a key must be a plain string");
        const text = String(key.value);
        if (text in Object.prototype || text === "prototype")
          throw refuse(key, `the key "${text}" is refused, since JavaScript objects inherit it`);
        if (keys.has(text)) throw refuse(key, `the key "${printable(text)}" stands twice`);
        keys.add(text);
      }
    },
  });
}

/** Refuses what is not JSON, and what aliases make too deep, too large or endless. */
function refuseValues(root: unknown, name: string): void {
  let count = 0;
  const path: (string | number)[] = [];
  const refuse = (problem: string): Refusal => new Refusal(`${place(Object(root), name, path)} ${problem}`);
  const check = (value: unknown): void => {
    if (path.length > limits.depth) throw tooDeep(name);
    if (++count > limits.values) throw new Refusal(`${name} has more than ${limits.values} values`);
    if (typeof value === "string") {
      // Line separators end a line comment; the rest has no place in text.
      if (/[^\P{Cc}\n\r\t]|\p{Cs}/u.test(value)) throw refuse("holds a control character");
      // `generate` marks places with them.
      if (/\p{Co}/u.test(value)) throw refuse("holds a character for private use");
    } else if (typeof value === "object" && value !== null) {
      if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype)
        throw refuse("is of a YAML type that JSON does not have");
      for (const [key, member] of Object.entries(value)) {
        path.push(Array.isArray(value) ? Number(key) : key);
        check(key);
        check(member);
        path.pop();
      }
    } else if (typeof value === "number" ? !Number.isFinite(value) : typeof value === "bigint")
      throw refuse("is a number that JSON does not have");
  };
  check(root);
}

/**
 * Parses an OpenAPI 3.0 or 3.1 description, YAML or JSON. `name` stands in error messages. Throws {@link Refusal}.
 */
export function parseSpec(text: string, name: string): OpenApi {
  // A server's page in place of the description; it would be broken YAML too, which says less.
  if (/^\s*<(?:!doctype|html|head|body|\?xml)/i.test(text.slice(0, 1000)))
    throw new Refusal(`${name} is HTML, not an OpenAPI description`);
  const spec = parseYaml(text, name);
  if (!isObject(spec)) throw new Refusal(`${name} is not an OpenAPI description`);
  if (!isOpenApi(spec)) {
    const version = spec["openapi"] ?? spec["swagger"];
    const found = version === undefined ? "" : `, but version ${printable(String(version))}`;
    throw new Refusal(`${name} is not an OpenAPI 3.0 or 3.1 description${found}`);
  }
  return spec;
}

function isOpenApi(spec: Json): spec is OpenApi {
  return typeof spec["openapi"] === "string" && /^3\.[01]\.\d+$/.test(spec["openapi"]);
}

/**
 * What the keys of an object are: fields that the specification knows, or names that the description's author chose.
 * Below "data" nothing is interpreted.
 */
type Kind = "fields" | "names" | "data";

const kinds = new Map<string, Kind | "namesOfNames">([
  ...keysOf(
    "names",
    `paths webhooks schemas responses parameters examples requestBodies headers securitySchemes links pathItems content
    encoding variables mapping scopes properties patternProperties dependentSchemas $defs`,
  ),
  ...keysOf("namesOfNames", "callbacks"),
  ...keysOf("data", "example default enum const value security"),
]);

function keysOf(kind: Kind | "namesOfNames", keys: string): [string, Kind | "namesOfNames"][] {
  return keys.split(/\s+/).map((key) => [key, kind]);
}

/** One value of a description, with the container that it stands in. */
export interface Entry {
  /** The container: an object or array. */
  parent: Json | unknown[];
  /** The last step of `path`. */
  key: string | number;
  value: unknown;
  path: Path;
  /** The kind of the container's keys; an array has that of the object around it. */
  kind: Kind;
}

/** Visits every value below `root`, containers before what they hold. A visitor that returns false ends the descent. */
export function walk(root: Json, visitor: (entry: Entry) => boolean | void): void {
  const path: (string | number)[] = [];
  const descend = (parent: Json | unknown[], kind: Kind | "namesOfNames"): void => {
    for (const [name, value] of Object.entries(parent)) {
      const key = Array.isArray(parent) ? Number(name) : name;
      path.push(key);
      const shown = kind === "namesOfNames" ? "names" : kind;
      const goOn = visitor({ parent, key, value, path, kind: shown }) !== false;
      if (goOn && typeof value === "object" && value !== null)
        descend(value as Json | unknown[], kindBelow(kind, key, value));
      path.pop();
    }
  };
  descend(root, "fields");
}

function kindBelow(kind: Kind | "namesOfNames", key: string | number, value: object): Kind | "namesOfNames" {
  if (kind === "data") return "data";
  if (kind === "namesOfNames") return "names";
  if (kind === "names" || typeof key === "number") return "fields";
  if (key.startsWith("x-")) return "data";
  const known = kinds.get(key) ?? "fields";
  // `parameters` of an operation and `examples` of an OpenAPI 3.1 schema are lists.
  if (Array.isArray(value) && known === "names") return key === "examples" ? "data" : "fields";
  return known;
}

/** The component that a local reference leads into, as ["schemas", "Pet"]; undefined for another place. */
export function componentOf(ref: string): [kind: string, name: string] | undefined {
  const [root, top, kind, name] = steps(ref);
  return root === "#" && top === "components" && kind !== undefined && name !== undefined ? [kind, name] : undefined;
}

function steps(ref: string): string[] {
  return ref.split("/").map((step) => {
    let text = step;
    try {
      text = decodeURIComponent(step);
    } catch {
      // A step that is no percent-encoding stands for itself.
    }
    return unescapeStep(text);
  });
}

/** The value that a local reference leads to, undefined where there is none. */
export function resolve(root: Json, ref: string): unknown {
  return getIn(root, steps(ref).slice(1));
}

/** The value at a path, undefined where there is none. */
export function getIn(root: Json, path: Path): unknown {
  let value: unknown = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Json)[step];
  }
  return value;
}

/** What a discriminator's mapping names, as a reference: it may be a schema's bare name. */
export function mappedRef(value: string): string {
  return /^[A-Za-z0-9._-]+$/.test(value) ? `#/components/schemas/${value}` : value;
}

/** The keys whose string is a reference. */
const refKeys = new Set<string | number>(["$ref", "$dynamicRef", "$recursiveRef"]);

/** The reference that an entry holds: a `$ref` or a discriminator's mapping. */
export function refOf({ key, value, path, kind }: Entry): string | undefined {
  if (typeof value !== "string") return undefined;
  // In data too: some tools follow what looks like a reference there.
  if (refKeys.has(key)) return value;
  return kind === "names" && path.at(-2) === "mapping" ? mappedRef(value) : undefined;
}

/** Refuses references to other documents, wherever they stand: generators fetch them. Throws {@link Refusal}. */
export function checkRefs(spec: OpenApi, name: string): void {
  walk(spec, (entry) => {
    const ref = refOf(entry);
    if (ref !== undefined && !ref.startsWith("#/"))
      throw new Refusal(`${place(spec, name, entry.path)}: the reference "${printable(ref)}" must start with "#/"`);
  });
}

/** The extensions of this project. Others are orders to some generator, and one of them could name a variable. */
const extensions = new Set(["x-environment", "x-message-codes"]);

/** What ends a string, template or comment in TypeScript, or opens a tag in Markdown. */
const unsafe = /["'`\\<>\p{Zl}\p{Zp}\p{Cc}]|\*\/|\/\*|\$\{/u;
const safely = "without quotes, backslashes, angle brackets, line breaks, comment marks or ${";

/** The methods that a path can have. */
export const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** Controls of writing direction (Unicode UAX #9): they make code look like something else than it is. */
export const bidi = /[\u202a-\u202e\u2066-\u2069]/gu;

/** The fields that hold text for people. */
export const proseKeys = new Set<string | number>(["description", "summary", "title", "$comment"]);

/**
 * Refuses a description that must not reach a generator: references that lead elsewhere, nowhere, in a circle or to
 * more than {@link limits} allow, names that generated code or a file could not hold as data, extensions that steer
 * generators, security schemes that are not described. `name` stands in error messages. Throws {@link Refusal}, which
 * says where.
 */
export function checkSpec(spec: OpenApi, name: string): void {
  checkRefs(spec, name);
  const refuse = (path: Path, problem: string): Refusal => new Refusal(`${place(spec, name, path)}: ${problem}`);
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
      // openapi-typescript knows no bare names.
      if (ref !== value) throw refuse(path, `must be written in full: ${printable(ref)}`);
      if (resolve(spec, ref) === undefined) throw refuse(path, `the reference "${printable(ref)}" leads nowhere`);
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
    if (key === "security") checkSecurity(value, path);
  });
  checkExpansion(spec, refuse);

  function checkSecurity(value: unknown, path: Path): void {
    const components = spec["components"];
    const schemes = isObject(components) ? components["securitySchemes"] : undefined;
    for (const requirement of Array.isArray(value) ? value : [])
      for (const scheme of Object.keys(isObject(requirement) ? requirement : {}))
        if (!isObject(schemes) || !Object.hasOwn(schemes, scheme))
          throw refuse(path, `the security scheme "${printable(scheme)}" is not described`);
  }
}

/** What is refused wherever it stands, since it works in a comment or a string of generated code as well. */
function hiddenProblem(text: string): string | undefined {
  if (text.search(bidi) >= 0) return "holds a control character of writing direction, behind which text can hide";
  return /@ts-(?:nocheck|ignore|expect-error)/.test(text) ? "holds an order to the TypeScript compiler" : undefined;
}

function nameProblem(key: string, path: Path): string | undefined {
  if (key.length > limits.nameLength) return `a name has at most ${limits.nameLength} characters`;
  if (!isDecodable(key)) return "a name has no '%' but for percent-encoding, which openapi-typescript decodes";
  const map = path.at(-2);
  if (path[0] === "components" && path.length === 3)
    return /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(key)
      ? undefined
      : "a component's name has only letters, digits, '.', '_' and '-', and starts with no '.' or '-'";
  if (map === "paths" && path.length === 2)
    return /^(?:\/(?:[A-Za-z0-9._~:@,;=+&()%-]|\$(?!\{)|\{[A-Za-z0-9._-]+\})*)+$/.test(key)
      ? undefined
      : "a path starts with '/' and has only the characters of a URL's path and {names}";
  if (map === "content")
    return /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+(?:;[\w!#$&^.+*=; -]*)?$/.test(key) ? undefined : "must be a media type";
  if (map === "responses" && path[0] === "paths")
    return /^(?:[1-5]\d\d|[1-5]XX|default)$/.test(key)
      ? undefined
      : "must be an HTTP status, such as 200, 2XX or default";
  return unsafe.test(key) ? `a name must be ${safely}` : undefined;
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
  const list = path.at(-2);
  return list === "enum" || list === "x-message-codes" || path.at(-4) === "security";
}

function textProblem(text: string, key: string | number, path: Path, kind: Kind): string | undefined {
  const map = path.at(-2);
  // A scope's text is prose as well.
  if ((kind === "fields" && proseKeys.has(key)) || (kind === "names" && map === "scopes"))
    return text.includes("*/") || /[\p{Zl}\p{Zp}]/u.test(text)
      ? "would end a comment of generated code: write no '*/' and no Unicode line separator"
      : undefined;
  if (kind === "fields" && key === "operationId")
    return /^[A-Za-z_][\w.-]*$/.test(text) && text.length <= limits.nameLength
      ? undefined
      : "an operationId has only letters, digits, '_', '.' and '-', and starts with a letter";
  // Regular expressions need backslashes, and samples may hold anything: generators quote both.
  if (kind === "data" ? !isNamed(path) : key === "pattern" || sampleKeys.has(key))
    return /[\p{Zl}\p{Zp}]/u.test(text) ? "holds a Unicode line separator" : undefined;
  return unsafe.test(text) ? `must be text ${safely}` : undefined;
}

/** Whether secrets may be sent there: encrypted, or to this machine alone. */
export function isSafeUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || /[{}]|%7b/i.test(text)) return false;
  const isLoopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback);
}

/** Refuses references that lead in a circle, through too many others, or to too much: generators write them out. */
function checkExpansion(spec: OpenApi, refuse: (path: Path, problem: string) => Refusal): void {
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

/** Reads, parses and checks the description in a file. Throws {@link Refusal}. */
export async function readSpec(path: string): Promise<OpenApi> {
  const spec = parseSpec(await readText(path), path);
  checkSpec(spec, path);
  return spec;
}
