import {
  CST,
  Lexer,
  LineCounter,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  parseDocument,
  visit,
  type Document,
  type Node,
} from "yaml";
import { UserError } from "../cli.js";
import { type OpenApi, type Path, escapeStep, printable, isObject } from "./json.js";
import { scanJson } from "./parse-json.js";

/** Limits of a description. All are far above the provider's own, and low enough to end soon. */
export const limits = {
  /** Bytes of text. */
  bytes: 32_000_000,
  /** Lexical tokens of YAML, which cost more memory than JSON, and some of them a hundred times their length. */
  tokens: 1_000_000,
  /** Levels of nesting. */
  depth: 100,
  /** YAML aliases. */
  aliases: 1_000,
  /** Values, once aliases are written out. */
  values: 2_000_000,
  /** Values of one component once its `$ref`s are written out. */
  expandedValues: 100_000_000,
  /** Levels of nesting of one component once its `$ref`s are written out. */
  expandedDepth: 1_000,
  /** Characters of a component's name, which becomes that of a file. */
  nameLength: 200,
  /** Characters of a path, and of any other name. */
  pathLength: 2_000,
};

/** The places of values in the text that they were parsed from. */
interface Source {
  offsetOf(path: Path): number | undefined;
  lineOf(offset: number): { line: number; col: number };
}

const sources = new WeakMap<object, Source>();

/** Lets places in `copy`, made from parts of `original`, be found in the original's text. */
export function keepPlaces<T extends object>(original: object, copy: T): T {
  const source = sources.get(original);
  if (source !== undefined) sources.set(copy, source);
  return copy;
}

/** A place as people look it up: `name:line:column: #/json/pointer`, without the numbers if they are not known. */
export function place(root: object, name: string, path: Path): string {
  return placeIn(sources.get(root), name, path);
}

function placeIn(source: Source | undefined, name: string, path: Path): string {
  return `${at(name, source, source?.offsetOf(path))}: ${printable(pointer(path))}`;
}

/** A path as a JSON pointer, in the form that references have. */
export function pointer(path: Path): string {
  return ["#", ...path.map((step) => escapeStep(String(step)))].join("/");
}

function at(name: string, source: Source | undefined, offset: number | undefined): string {
  if (source === undefined || offset === undefined) return name;
  const { line, col } = source.lineOf(offset);
  return `${name}:${line}:${col}`;
}

/** @throws {UserError} for more bytes of text than {@link limits} allow */
export function refuseLarge(bytes: number, name: string): void {
  if (bytes > limits.bytes) throw new UserError(`${name} is larger than ${limits.bytes / 1e6} MB`);
}

/**
 * Parses YAML or JSON text into JSON values that share nothing with each other: only own, enumerable properties, no
 * key that every JavaScript object has, no cycles. `name` is used in error messages. Time and memory are bounded by
 * {@link limits}. Throws {@link UserError}.
 */
export function parseYaml(text: string, name: string): unknown {
  refuseLarge(Buffer.byteLength(text), name);
  const [source, value] = fromJson(text, name) ?? fromYaml(text, name);
  const copy = plain(value, source, name);
  if (isObject(copy) || Array.isArray(copy)) sources.set(copy, source);
  return copy;
}

type Parsed = [Source, value: unknown];

/** The value of JSON text; undefined for other text. */
function fromJson(text: string, name: string): Parsed | undefined {
  try {
    if (!/^\s*[{[]/.test(text)) return undefined;
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const offsets = new Map<string, number>();
  const lineOf = (offset: number) => {
    const before = text.slice(0, offset).split("\n");
    return { line: before.length, col: (before.at(-1)?.length ?? 0) + 1 };
  };
  const offsetOf = (path: Path): number | undefined => {
    if (offsets.size === 0) scanJson(text, (each, offset) => offsets.set(pointer(each), offset));
    return offsets.get(pointer(path));
  };
  const source = { offsetOf, lineOf };
  const check = (path: Path, offset: number, object?: object): void => {
    if (path.length > limits.depth) throw tooDeep(name);
    const problem = object && keyProblem(String(path.at(-1)), (key) => Object.hasOwn(object, key));
    if (problem !== undefined) throw new UserError(`${at(name, source, offset)}: ${problem}`);
  };
  return [source, scanJson(text, check)];
}

function fromYaml(text: string, name: string): Parsed {
  refuseBombs(text, name);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    // Only what JSON has; and merge keys, since many descriptions are YAML 1.1.
    schema: "core",
    resolveKnownTags: false,
    merge: true,
    intAsBigInt: true,
    lineCounter: lines,
    prettyErrors: false,
    // The library compares each key with all before it; `refuseKeys` does not.
    uniqueKeys: false,
  });
  const offsetOf = (path: Path): number | undefined => {
    let node: unknown = document.contents;
    for (const step of path) {
      const whole = isAlias(node) ? node.resolve(document) : node;
      node = isCollection(whole) ? whole.get(step, true) : undefined;
    }
    return isNode(node) ? node.range?.[0] : undefined;
  };
  const source = { offsetOf, lineOf: (offset: number) => lines.linePos(offset) };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem?.message.startsWith("Maximum call stack")) throw tooDeep(name);
  if (problem !== undefined) {
    const words = printable(problem.message).replace(/[.:]$/, "");
    throw new UserError(`${at(name, source, problem.pos[0])}: broken YAML: ${words}`);
  }
  refuseKeys(document, source, name);
  try {
    return [source, document.toJS({ maxAliasCount: limits.aliases })];
  } catch {
    throw new UserError(`${name}: its YAML aliases refer to nothing or multiply beyond bounds`);
  }
}

/** Counts the tokens whose numbers cost the parser more than they should, before it sees them. */
function refuseBombs(text: string, name: string): void {
  let [tokens, aliases, depth, depthInLine] = [0, 0, 0, 0];
  for (const token of new Lexer().lex(text)) {
    if (++tokens > limits.tokens)
      throw new UserError(
        `${name} has more than ${limits.tokens} YAML tokens: convert it to JSON (limit ${limits.bytes / 1e6} MB) with \`npx @redocly/cli bundle -o openapi.json\``,
      );
    const type = String(CST.tokenType(token));
    if (/^flow-.*-start$/.test(type)) depth++;
    if (/^flow-.*-end$/.test(type)) depth--;
    if (/^(?:seq-item|explicit-key)-ind$/.test(type)) depthInLine++;
    if (type === "newline") depthInLine = 0;
    if (Math.max(depth, depthInLine) > limits.depth) throw tooDeep(name);
    if (type === "alias" && ++aliases > limits.aliases)
      throw new UserError(`${name} has more than ${limits.aliases} YAML aliases`);
  }
}

function tooDeep(name: string): UserError {
  return new UserError(`${name} is nested deeper than ${limits.depth} levels`);
}

/** Refuses a key that is twice in one mapping, is not a plain scalar, or is one that JavaScript's objects inherit. */
function refuseKeys(document: Document, source: Source, name: string): void {
  const refuse = (node: Node, problem: string): UserError =>
    new UserError(`${at(name, source, node.range?.[0])}: ${problem}`);
  visit(document, {
    Collection(_, node, path) {
      if (path.length > 2 * limits.depth) throw tooDeep(name);
      if (!isMap(node)) return;
      const keys = new Set<string>();
      for (const { key } of node.items) {
        if (!isScalar(key)) throw refuse(node, "a key must be a plain string");
        const text = String(key.value);
        const problem = keyProblem(text, (other) => keys.has(other));
        if (problem !== undefined) throw refuse(key, problem);
        keys.add(text);
      }
    },
  });
}

function keyProblem(key: string, isThere: (key: string) => boolean): string | undefined {
  if (key in Object.prototype || key === "prototype")
    return `the key "${key}" is refused, since JavaScript objects inherit it`;
  return isThere(key) ? `the key "${printable(key)}" is used twice` : undefined;
}

/**
 * A copy as JSON values that share nothing. An integer stays a bigint if a number would change its digits. Refuses values
 * that JSON does not have, and aliases that make them too deep, too large or endless.
 */
function plain(root: unknown, source: Source, name: string): unknown {
  let count = 0;
  const path: (string | number)[] = [];
  const refuse = (problem: string) => new UserError(`${placeIn(source, name, path)} ${problem}`);
  const copy = (value: unknown): unknown => {
    if (path.length > limits.depth) throw tooDeep(name);
    if (++count > limits.values) throw new UserError(`${name} has more than ${limits.values} values`);
    if (typeof value === "bigint") return String(Number(value)) === String(value) ? Number(value) : value;
    if (typeof value === "number" && !Number.isFinite(value)) throw refuse("is a number that JSON does not have");
    if (typeof value === "string" && /[^\P{Cc}\n\r\t]|\p{Cs}/u.test(value)) throw refuse("holds a control character");
    if (typeof value !== "object" || value === null) return value === 0 ? 0 : (value ?? null);
    const members = Object.entries(value).map(([key, member]) => {
      path.push(Array.isArray(value) ? Number(key) : key);
      const copied = [copy(key), copy(member)] as const;
      path.pop();
      return copied;
    });
    return Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members);
  };
  return copy(root);
}

/** Parses an OpenAPI 3 description, YAML or JSON. `name` is used in error messages. Throws {@link UserError}. */
export function parseSpec(text: string, name: string): OpenApi {
  // A server's page instead of the description. "Broken YAML" would be true, but less helpful.
  if (/^\s*<(?:!doctype|html|head|body|\?xml)/i.test(text.slice(0, 1000)))
    throw new UserError(`${name} is HTML, not an OpenAPI description`);
  const spec = parseYaml(text, name);
  if (!isObject(spec)) throw new UserError(`${name} is not an OpenAPI description`);
  const { openapi, swagger } = spec;
  // Without quotes, 3.1 is a number to YAML.
  const version = typeof openapi === "number" ? openapi.toFixed(1) : openapi;
  if (typeof version === "string" && /^3\.[0-2](?:\.\d+)?$/.test(version))
    return Object.assign(spec, { openapi: /^3\.\d$/.test(version) ? `${version}.0` : version });
  const found = openapi ?? swagger;
  const but = found === undefined ? "" : `, but version ${printable(String(found))}`;
  const hint = swagger === undefined ? "" : ": `npx swagger2openapi` converts it";
  throw new UserError(`${name} is not an OpenAPI 3.0, 3.1 or 3.2 description${but}${hint}`);
}
