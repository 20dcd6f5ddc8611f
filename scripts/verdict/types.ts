import ts from "typescript";
import { UserError } from "../command.js";
import { MetPairs, member, quote } from "./findings.js";
import type { Finding, Level, Place, Side } from "./findings.js";
import type { OpenApi } from "../spec/json.js";
import { typedPaths } from "../generate/typed-paths.js";

/** An operation that both specs have, by the name that messages use. */
export interface OperationPair {
  name: string;
  old: { path: string; method: string };
  new: { path: string; method: string };
}

/** A type finding; `typeChanged` says that the whole type at its place is another one. */
export interface TypeFinding extends Finding {
  typeChanged?: true;
}

/** The TypeScript that consumers of a spec have. `name` stands in error messages. Throws {@link UserError}. */
export async function typesOf(spec: OpenApi, name: string): Promise<string> {
  try {
    return await typedPaths(spec);
  } catch (error) {
    throw new UserError(`${name} gives no types: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * Asks TypeScript's checker, per operation, request part and answer status, and per schema of `exported`, whether what
 * compiled still compiles and whether every answer was foreseen. Assignability alone passes over optional properties,
 * so both types are also walked side by side, which gives each finding its place. Throws {@link UserError} on any
 * compiler diagnostic: types that do not resolve are `any`, and `any` fits everything.
 */
export function compareTypes(
  oldTypes: string,
  newTypes: string,
  operations: OperationPair[],
  exported: string[],
): TypeFinding[] {
  const sources = new Map([
    ["/old.ts", oldTypes],
    ["/new.ts", newTypes],
  ]);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.es5.d.ts"],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => sources.has(file) || fileExists(file);
  host.readFile = (file) => sources.get(file) ?? readFile(file);
  host.getSourceFile = (file, ...rest) => {
    const text = sources.get(file);
    if (text !== undefined) return ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
    const library = libraries.get(file) ?? getSourceFile(file, ...rest);
    if (library !== undefined) libraries.set(file, library);
    return library;
  };
  const program = ts.createProgram([...sources.keys()], options, host);
  const problem = ts.getPreEmitDiagnostics(program)[0];
  if (problem !== undefined) throw new UserError(`the types do not compile: ${describe(problem)}`);

  const checker = program.getTypeChecker();
  const comparison = new Comparison(checker);
  const oldRoot = exportsOf(program, checker, "/old.ts");
  const newRoot = exportsOf(program, checker, "/new.ts");
  for (const { name, old: before, new: after } of operations)
    comparison.operation(
      name,
      at(checker, oldRoot("paths"), before.path, before.method),
      at(checker, newRoot("paths"), after.path, after.method),
    );
  for (const name of exported)
    comparison.part(
      { subject: name, side: "export", part: "", path: "" },
      at(checker, oldRoot("components"), "schemas", name),
      at(checker, newRoot("components"), "schemas", name),
    );
  return comparison.findings;
}

/** TypeScript's own declarations, parsed once: that takes longer than all the rest. */
const libraries = new Map<string, ts.SourceFile>();

function describe(problem: ts.Diagnostic): string {
  const message = ts.flattenDiagnosticMessageText(problem.messageText, " ");
  if (problem.file === undefined || problem.start === undefined) return message;
  const { line } = problem.file.getLineAndCharacterOfPosition(problem.start);
  const which = problem.file.fileName === "/old.ts" ? "old" : "new";
  return `${message} (line ${line + 1} of what openapi-typescript makes of the ${which} spec)`;
}

function exportsOf(program: ts.Program, checker: ts.TypeChecker, file: string): (name: string) => ts.Type {
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  const symbols = module === undefined ? [] : checker.getExportsOfModule(module);
  return (name) => {
    const symbol = symbols.find((candidate) => candidate.name === name);
    if (symbol === undefined) throw new Error(`openapi-typescript exported no ${name}`);
    return checker.getDeclaredTypeOfSymbol(symbol);
  };
}

/** The type at a path of properties. A gap is a bug of ours: it must not pass for "no difference". */
function at(checker: ts.TypeChecker, root: ts.Type, ...path: string[]): ts.Type {
  return path.reduce((type, name) => {
    const property = checker.getPropertyOfType(type, name);
    if (property === undefined) throw new Error(`no ${path.join(" ")} in the generated types`);
    return checker.getTypeOfSymbol(property);
  }, root);
}

interface Property {
  type: ts.Type;
  optional: boolean;
}

/** The members of a union, apart by what they are. `undefined` is left out: that is what "optional" says. */
interface Kinds {
  /** Literals and primitives, by a text that tells `"1"` from `1`. */
  scalars: Map<string, ts.Type>;
  arrays: ts.Type[];
  objects: ts.Type[];
}

const singleValue = ts.TypeFlags.Literal | ts.TypeFlags.Null;

/** Walks pairs of types and collects what differs. */
class Comparison {
  readonly findings: TypeFinding[] = [];
  readonly #checker: ts.TypeChecker;
  readonly #met = new MetPairs<ts.Type>();

  constructor(checker: ts.TypeChecker) {
    this.#checker = checker;
  }

  operation(subject: string, before: ts.Type, after: ts.Type): void {
    const was = this.#properties(before);
    const is = this.#properties(after);
    this.#parameters(subject, was.get("parameters")?.type, is.get("parameters")?.type);
    this.#request(subject, was.get("requestBody"), is.get("requestBody"));
    this.#answers(subject, was.get("responses")?.type, is.get("responses")?.type);
  }

  /** One body: its places by the walk, and the checker's word on the whole for what the walk may have missed. */
  part(place: Place, before: ts.Type, after: ts.Type): void {
    const first = this.findings.length;
    this.#met.startPart();
    this.#types(place, before, after);
    const level = this.#levelOf(place.side, before, after);
    const found = this.findings.slice(first);
    const needsMajor = level === "major" && place.side !== "export";
    const told = found.some((finding) => !needsMajor || finding.level === "major");
    if (level !== undefined && !told)
      this.#report(level, place, (part) => `the type of ${part} is another one`, {
        typeChanged: true,
      });
  }

  #report(level: Level, place: Place, message: Finding["message"], more?: { typeChanged: true }) {
    this.findings.push({ level, place, message, ...more });
  }

  /** What assignability alone says; undefined where each type fits the other. */
  #levelOf(side: Side, before: ts.Type, after: ts.Type): Level | undefined {
    const kept = this.#checker.isTypeAssignableTo(before, after);
    const foreseen = this.#checker.isTypeAssignableTo(after, before);
    if (kept && foreseen) return undefined;
    return { request: kept, answer: foreseen, export: false }[side] ? "minor" : "major";
  }

  #parameters(subject: string, before: ts.Type | undefined, after: ts.Type | undefined): void {
    const was = this.#properties(before);
    const is = this.#properties(after);
    this.#met.startPart();
    for (const kind of ["path", "query", "header", "cookie"])
      this.#members(
        { subject, side: "request", part: "request", path: "" },
        this.#properties(was.get(kind)?.type),
        this.#properties(is.get(kind)?.type),
        `${kind} parameter`,
      );
  }

  #request(subject: string, before: Property | undefined, after: Property | undefined): void {
    const place: Place = { subject, side: "request", part: "request", path: "" };
    if (before !== undefined && after !== undefined) {
      if (before.optional && !after.optional) this.#report("major", place, () => "the request body became required");
      if (!before.optional && after.optional) this.#report("minor", place, () => "the request body became optional");
      this.#contents(place, before.type, after.type);
    } else if (before !== undefined) {
      this.#report("major", place, () => "the request body was removed");
    } else if (after !== undefined) {
      const word = after.optional ? "optional" : "required";
      this.#report(after.optional ? "minor" : "major", place, () => `a request body was added, ${word}`);
    }
  }

  #answers(subject: string, before: ts.Type | undefined, after: ts.Type | undefined): void {
    const was = this.#properties(before);
    const is = this.#properties(after);
    for (const status of new Set([...was.keys(), ...is.keys()])) {
      const place: Place = { subject, side: "answer", part: `${status} answer`, path: "" };
      const old = was.get(status);
      const now = is.get(status);
      if (old !== undefined && now !== undefined) {
        this.#met.startPart();
        this.#members(
          place,
          this.#properties(this.#properties(old.type).get("headers")?.type),
          this.#properties(this.#properties(now.type).get("headers")?.type),
          "header",
        );
        this.#contents(place, old.type, now.type);
      } else if (now !== undefined) {
        // A success answer joins what a call returns, so its body has to fit one that was handled already.
        const successes = [...was].filter(([key]) => isSuccess(key));
        const foreseen =
          !isSuccess(status) ||
          successes.length === 0 ||
          successes.some(([, { type }]) => this.#bodyFits(now.type, type));
        this.#report(foreseen ? "minor" : "major", place, (part) =>
          foreseen ? `added: ${part}` : `added: ${part}, a success with another body`,
        );
      } else {
        const last = isSuccess(status) && ![...is.keys()].some(isSuccess);
        this.#report(last ? "major" : "patch", place, (part) =>
          last ? `removed: ${part}, the only success` : `removed: ${part}`,
        );
      }
    }
  }

  #bodyFits(after: ts.Type, before: ts.Type): boolean {
    const is = [...this.#properties(this.#properties(after).get("content")?.type).values()];
    const was = [...this.#properties(this.#properties(before).get("content")?.type).values()];
    if (is.length === 0) return was.length === 0;
    return is.every((now) => was.some((old) => this.#checker.isTypeAssignableTo(now.type, old.type)));
  }

  /** The media types of a request body or an answer. */
  #contents(place: Place, before: ts.Type, after: ts.Type): void {
    const was = this.#properties(this.#properties(before).get("content")?.type);
    const is = this.#properties(this.#properties(after).get("content")?.type);
    for (const media of new Set([...was.keys(), ...is.keys()])) {
      const old = was.get(media);
      const now = is.get(media);
      if (old !== undefined && now !== undefined) this.part(place, old.type, now.type);
      else if (now !== undefined)
        this.#report("minor", place, (part) => `content type ${quote(media)} added to ${part}`);
      else this.#report("major", place, (part) => `content type ${quote(media)} removed from ${part}`);
    }
  }

  #types(place: Place, before: ts.Type, after: ts.Type): void {
    const was = this.#kinds(before);
    const is = this.#kinds(after);
    const removed = [...was.scalars].filter(([text]) => !is.scalars.has(text));
    const added = [...is.scalars].filter(([text]) => !was.scalars.has(text));
    const sameKinds =
      [...removed, ...added].every(([, type]) => (type.flags & singleValue) !== 0) &&
      (was.arrays.length === 0) === (is.arrays.length === 0) &&
      (was.objects.length === 0) === (is.objects.length === 0);
    if (sameKinds) {
      for (const [, type] of removed) this.#valueRemoved(place, type);
      for (const [, type] of added) this.#valueAdded(place, type);
    } else {
      this.#typeChanged(place, before, after);
    }
    const [oldArray] = was.arrays;
    const [newArray] = is.arrays;
    if (oldArray !== undefined && newArray !== undefined) this.#items(place, oldArray, newArray);
    if (was.objects.length > 0 && is.objects.length > 0) this.#alternatives(place, was.objects, is.objects);
  }

  #typeChanged(place: Place, before: ts.Type, after: ts.Type): void {
    const level = this.#levelOf(place.side, before, after);
    if (level === undefined) return;
    const [from, to] = [quote(this.#text(before)), quote(this.#text(after))];
    this.#report(level, place, (part) => `type changed from ${from} to ${to} in ${part}`, {
      typeChanged: true,
    });
  }

  #valueRemoved(place: Place, type: ts.Type): void {
    if ((type.flags & ts.TypeFlags.Null) !== 0)
      return this.#report(
        place.side === "answer" ? "minor" : "major",
        place,
        (part) => `${quote("null")} removed from ${part}`,
      );
    const value = `${noun(place.path)} ${quote(this.#text(type))}`;
    // An answer without it was foreseen, but code that compares with it no longer compiles.
    const why = place.side === "answer" ? ", so code that names it no longer compiles" : "";
    this.#report("major", place, (part) => `${value} removed from ${part}${why}`);
  }

  #valueAdded(place: Place, type: ts.Type): void {
    const isNull = (type.flags & ts.TypeFlags.Null) !== 0;
    const value = isNull ? quote("null") : `${noun(place.path)} ${quote(this.#text(type))}`;
    const why = place.side === "answer" ? ", where no code foresees it" : "";
    const level = place.side === "answer" ? "major" : "minor";
    this.#report(level, place, (part) => `${value} added to ${part}${why}`);
  }

  #items(place: Place, before: ts.Type, after: ts.Type): void {
    if (!this.#checker.isArrayType(before) || !this.#checker.isArrayType(after))
      return this.#typeChanged(place, before, after);
    const [oldItem] = this.#checker.getTypeArguments(before as ts.TypeReference);
    const [newItem] = this.#checker.getTypeArguments(after as ts.TypeReference);
    if (oldItem !== undefined && newItem !== undefined)
      this.#types({ ...place, path: `${place.path}[]` }, oldItem, newItem);
  }

  /** Pairs the objects of two unions by schema name, then by type; what is left was removed or added. */
  #alternatives(place: Place, before: ts.Type[], after: ts.Type[]): void {
    const left = new Set(after);
    const pair = (old: ts.Type, matches: (now: ts.Type) => boolean): boolean => {
      const now = [...left].find(matches);
      if (now === undefined) return false;
      left.delete(now);
      const single = before.length === 1 && after.length === 1;
      const name = schemaName(old) ?? String(before.indexOf(old) + 1);
      this.#object(single ? place : { ...place, path: `${place.path}(${name})` }, old, now);
      return true;
    };
    let rest = before.filter((old) => {
      const name = schemaName(old);
      return name === undefined || !pair(old, (now) => schemaName(now) === name);
    });
    rest = rest.filter((old) => !pair(old, (now) => this.#levelOf("export", old, now) === undefined));
    if (rest.length === 1 && left.size === 1) rest = rest.filter((old) => !pair(old, () => true));
    const side = place.side;
    for (const type of rest) {
      const named = quote(schemaName(type) ?? this.#text(type));
      const covered = side === "request" && after.some((now) => this.#checker.isTypeAssignableTo(type, now));
      this.#report(covered ? "minor" : "major", place, (part) => `${named} removed from ${part}`);
    }
    for (const type of left) {
      const named = quote(schemaName(type) ?? this.#text(type));
      const foreseen = side !== "answer" || before.some((old) => this.#checker.isTypeAssignableTo(type, old));
      this.#report(foreseen ? "minor" : "major", place, (part) => `${named} added to ${part}`);
    }
  }

  #object(place: Place, before: ts.Type, after: ts.Type): void {
    if (this.#met.meets(place.side, before, after)) return;
    this.#members(place, this.#properties(before), this.#properties(after));
    const path = place.path === "" ? "*" : `${place.path}.*`;
    const was = this.#index(before);
    const is = this.#index(after);
    if (was !== undefined && is !== undefined) this.#types({ ...place, path }, was.type, is.type);
    else if (is !== undefined)
      this.#report("minor", { ...place, path }, (part) => `further properties added to ${part}`);
    else if (was !== undefined)
      this.#report("major", { ...place, path }, (part) => `further properties removed from ${part}`);
  }

  /** What properties without a name of their own are; `Record<string, never>` is how "no properties" is written. */
  #index(type: ts.Type): ts.IndexInfo | undefined {
    return this.#checker.getIndexInfosOfType(type).find((info) => (info.type.flags & ts.TypeFlags.Never) === 0);
  }

  /** Properties, parameters or headers: which there are, which are required, and their types. */
  #members(place: Place, was: Map<string, Property>, is: Map<string, Property>, kind = "property"): void {
    for (const name of new Set([...was.keys(), ...is.keys()])) {
      const path = kind === "property" ? member(place.path, name) : `${kind} ${name}`;
      const here = { ...place, path };
      const named = `${kind} ${quote(name)}`;
      const old = was.get(name);
      const now = is.get(name);
      if (old !== undefined && now !== undefined) {
        if (old.optional !== now.optional) {
          // Callers must send what became required; readers must do without what became optional.
          const broken = { request: old.optional, answer: now.optional, export: true }[place.side];
          const word = now.optional ? "optional" : "required";
          this.#report(broken ? "major" : "minor", here, (part) => `${named} became ${word} in ${part}`);
        }
        this.#types(here, old.type, now.type);
      } else if (now !== undefined) {
        const word = now.optional ? "optional" : "required";
        this.#report(
          place.side === "request" && !now.optional ? "major" : "minor",
          here,
          (part) => `${named} added to ${part}, ${word}`,
        );
      } else {
        this.#report("major", here, (part) => `${named} removed from ${part}`);
      }
    }
  }

  #properties(type: ts.Type | undefined): Map<string, Property> {
    const properties = new Map<string, Property>();
    if (type === undefined) return properties;
    for (const symbol of this.#checker.getPropertiesOfType(this.#checker.getNonNullableType(type))) {
      const property = this.#checker.getTypeOfSymbol(symbol);
      // `name?: never` is how openapi-typescript writes "none".
      if ((property.flags & (ts.TypeFlags.Never | ts.TypeFlags.Undefined)) !== 0) continue;
      const optional = (symbol.flags & ts.SymbolFlags.Optional) !== 0;
      properties.set(symbol.name, { type: property, optional });
    }
    return properties;
  }

  #kinds(type: ts.Type): Kinds {
    const kinds: Kinds = { scalars: new Map(), arrays: [], objects: [] };
    for (const one of type.isUnion() ? type.types : [type]) {
      if ((one.flags & ts.TypeFlags.Any) !== 0)
        throw new UserError("the types cannot be compared: one of them is any, which fits everything");
      if ((one.flags & ts.TypeFlags.Undefined) !== 0) continue;
      if (this.#checker.isArrayType(one) || this.#checker.isTupleType(one)) kinds.arrays.push(one);
      else if ((one.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0) kinds.objects.push(one);
      else kinds.scalars.set(this.#checker.typeToString(one, undefined, untruncated), one);
    }
    if (kinds.scalars.has("true") && kinds.scalars.has("false")) {
      // The checker holds boolean as a union of two literals.
      kinds.scalars.delete("true");
      kinds.scalars.delete("false");
      kinds.scalars.set("boolean", this.#checker.getBooleanType());
    }
    return kinds;
  }

  #text(type: ts.Type): string {
    if (type.isStringLiteral()) return type.value;
    const { scalars, arrays, objects } = this.#kinds(type);
    const others = [...arrays, ...objects].map((one) => schemaName(one) ?? this.#checker.typeToString(one));
    return [...scalars.keys(), ...others].join(" | ");
  }
}

const untruncated = ts.TypeFormatFlags.NoTruncation;

/** Statuses whose bodies openapi-fetch returns as data. */
function isSuccess(status: string): boolean {
  return /^2(\d\d|XX)$/i.test(status);
}

/** What the values of a place are called: those of a list after it ("scopes[]" holds scopes). */
function noun(path: string): string {
  const [, list] = /(\w+?)s\[\]$/.exec(path) ?? [];
  return list?.replace(/ie$/, "y").replaceAll("_", " ") ?? "value";
}

/** The name in `components.schemas` under which an object type stands. */
function schemaName(type: ts.Type): string | undefined {
  const declared = type.symbol?.declarations?.[0]?.parent;
  if (declared === undefined || !ts.isPropertySignature(declared)) return undefined;
  const owner = declared.parent.parent;
  return ts.isPropertySignature(owner) && owner.name.getText() === "schemas"
    ? declared.name.getText().replace(/^"|"$/g, "")
    : undefined;
}
