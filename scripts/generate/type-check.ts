import type compiler from "typescript";
import { UserError } from "../command.js";
import { ts } from "./typescript.js";

/** What the TypeScript compiler says about a file. */
export interface Problem {
  path: string;
  line: number;
  message: string;
}

/** What the compiler says about modules, given by their paths. */
export function problemsIn(files: ReadonlyMap<string, string>): Problem[] {
  return problemsOf(programOf(files));
}

export function problemsOf(program: compiler.Program): Problem[] {
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => ({
    path: file?.fileName.slice(1) ?? "",
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
    // Generated code uses next to nothing of the library, and the smallest one is read in a tenth of the time.
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
    if (text !== undefined) return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
    const library = libraries.get(path) ?? getSourceFile.call(host, path, ...rest);
    if (library) libraries.set(path, library);
    return library;
  };
  const modules = [...files.keys()].filter((path) => path.endsWith(".ts"));
  const roots = modules.map((path) => `/${path}`);
  return ts.createProgram(roots, options, host);
}

/** TypeScript's own declarations, parsed once: that takes longer than all the rest. */
const libraries = new Map<string, compiler.SourceFile>();

/**
 * Type-checks the generated folder by itself, and refuses what no value can be: where parts of an `allOf` contradict each
 * other, the compiler makes `never` of it without a word.
 *
 * @throws {UserError} naming file and line
 */
export function checkTypes(files: ReadonlyMap<string, string>): void {
  const program = programOf(files);
  const [problem] = problemsOf(program);
  if (problem) throw new UserError(`generated/${problem.path}:${problem.line} does not compile: ${problem.message}`);
  const paths = program.getSourceFile("/paths.ts");
  if (paths) refuseImpossible(paths, program.getTypeChecker());
}

function refuseImpossible(source: compiler.SourceFile, checker: compiler.TypeChecker): void {
  const isImpossible = (type: compiler.Type): boolean =>
    // Of a property that may be left out, `undefined` is what is left.
    (type.flags & ts.TypeFlags.Undefined) !== 0 || checker.isTypeAssignableTo(type, checker.getNeverType());
  const visitNode = (node: compiler.Node, place: readonly string[]): void => {
    const below = ts.isPropertySignature(node) ? [...place, node.name.getText(source)] : place;
    if (ts.isIntersectionTypeNode(node)) {
      const type = checker.getTypeFromTypeNode(node);
      const property = checker.getPropertiesOfType(type).find((each) => isImpossible(checker.getTypeOfSymbol(each)));
      if (property || isImpossible(type)) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
        const where = [...below, ...(property ? [property.name] : [])].join(".");
        throw new UserError(
          `generated/paths.ts:${line + 1}: no value can be ${where}, since parts of its allOf contradict each other: change one of them by an overlay action`,
        );
      }
    }
    ts.forEachChild(node, (child) => visitNode(child, below));
  };
  for (const statement of source.statements)
    if (ts.isInterfaceDeclaration(statement)) visitNode(statement, [statement.name.text]);
}
