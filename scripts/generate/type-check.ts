import type compiler from "typescript";
import { UserError } from "../cli.js";
import { ts } from "./typescript.js";

/** An error that the TypeScript compiler finds in a file. */
export interface Problem {
  path: string;
  line: number;
  /** Its position, in characters from the beginning of the file. */
  start: number;
  message: string;
}

/** The compiler's errors in modules, given by their paths. */
export function problemsIn(files: ReadonlyMap<string, string>): Problem[] {
  return problemsOf(programOf(files));
}

export function problemsOf(program: compiler.Program): Problem[] {
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => ({
    path: file?.fileName.slice(1) ?? "",
    start,
    line: (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
    message: ts.flattenDiagnosticMessageText(messageText, " "),
  }));
}

/** Modules as a program, under options as strict as the strictest consumer's. */
export function programOf(files: ReadonlyMap<string, string>): compiler.Program {
  const options: compiler.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    isolatedModules: true,
    verbatimModuleSyntax: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    // Generated code uses next to nothing of the standard library, and the smallest one is read in a tenth of the time.
    lib: ["lib.es5.d.ts"],
    types: [],
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  const textOf = (path: string): string | undefined => files.get(path.slice(1));
  host.fileExists = (path) => textOf(path) !== undefined;
  host.directoryExists = () => true;
  host.getCurrentDirectory = () => "/";
  host.getSourceFile = (path, ...rest) => {
    const text = textOf(path);
    if (text !== undefined) return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
    const library = libraries.get(path) ?? getSourceFile.call(host, path, ...rest);
    if (library) libraries.set(path, library);
    return library;
  };
  const modules = [...files.keys()].filter((path) => path.endsWith(".ts"));
  const roots = modules.map((path) => `/${path}`);
  return ts.createProgram(roots, options, host);
}

/** TypeScript's own declarations, parsed once, since that takes longer than everything else. */
const libraries = new Map<string, compiler.SourceFile>();

/**
 * Type-checks the generated folder, without the rest of the repository, and refuses types that no value has: if parts of an
 * `allOf` contradict each other, the compiler silently makes it `never`.
 *
 * @throws {UserError} naming file and line, and what to change
 */
export function checkTypes(files: ReadonlyMap<string, string>): void {
  const program = programOf(files);
  const paths = program.getSourceFile("/paths.ts");
  const [problem] = problemsOf(program);
  if (problem) {
    const { path, line, start, message } = problem;
    const advice = path === "paths.ts" && paths ? `: ${remedy(placeAt(paths, start))}` : "";
    throw new UserError(`generated/${path}:${line} does not compile: ${message}${advice}`);
  }
  if (paths) refuseImpossible(paths, program.getTypeChecker());
}

/** The names of the interface and of the properties around a position, such as "components", "schemas", "Pet". */
function placeAt(source: compiler.SourceFile, position: number): string[] {
  const names: string[] = [];
  const visit = (node: compiler.Node): void => {
    if (position < node.pos || position >= node.end) return;
    if (ts.isInterfaceDeclaration(node) || ts.isPropertySignature(node))
      names.push((node.name as compiler.Identifier).text);
    const [, recursive] = ts.isTypeAliasDeclaration(node) ? (/^Recursive_(.+)/.exec(node.name.text) ?? []) : [];
    if (recursive !== undefined) names.push("components", "schemas", recursive);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

function remedy([holder, kind, name]: readonly string[]): string {
  const target =
    holder === "components" && name !== undefined ? ` with the target $.components.${kind}['${name}']` : "";
  return `change it with an overlay action${target}`;
}

function refuseImpossible(source: compiler.SourceFile, checker: compiler.TypeChecker): void {
  const isImpossible = (type: compiler.Type): boolean =>
    // Of a property that may be left out, only `undefined` is left.
    (type.flags & ts.TypeFlags.Undefined) !== 0 || checker.isTypeAssignableTo(type, checker.getNeverType());
  const visit = (node: compiler.Node): void => {
    // A generic type does not come from the description.
    if (ts.isTypeAliasDeclaration(node) && node.typeParameters) return;
    if (ts.isIntersectionTypeNode(node)) {
      const type = checker.getTypeFromTypeNode(node);
      const property = checker.getPropertiesOfType(type).find((each) => isImpossible(checker.getTypeOfSymbol(each)));
      if (property || isImpossible(type)) {
        const place = placeAt(source, node.getStart());
        const { line } = source.getLineAndCharacterOfPosition(node.getStart());
        throw new UserError(
          `generated/paths.ts:${line + 1}: no value can be ${[...place, ...(property ? [property.name] : [])].join(".")}, since parts of its allOf contradict each other: ${remedy(place)}`,
        );
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}
