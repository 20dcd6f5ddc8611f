import { posix } from "node:path";
import { lexer, type Token, walkTokens } from "marked";
import type compiler from "typescript";
import { UserError } from "../command.js";
import { ts } from "./typescript.js";

/**
 * Refuses generated TypeScript that could do anything when it is loaded: it may hold types, relative imports and
 * re-exports between generated files, and constants of literals. The generators are trusted to mean well, not to quote
 * everything that a spec holds.
 *
 * @param files text by path, relative to the generated folder, with `/`
 * @throws {UserError} naming file and line
 */
export function inspectCode(files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    if (path.endsWith(".ts")) inspectModule(path, text, files);
  }
}

function inspectModule(path: string, text: string, files: ReadonlyMap<string, string>): void {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const refuse = (position: number, problem: string): UserError => {
    const { line } = source.getLineAndCharacterOfPosition(position);
    return new UserError(
      `generated/${path}:${line + 1}: ${problem}: text of the description would run as code; change it by an overlay action`,
    );
  };
  const { parseDiagnostics } = source as unknown as { parseDiagnostics: readonly compiler.DiagnosticWithLocation[] };
  const [broken] = parseDiagnostics;
  if (broken) throw refuse(broken.start, ts.flattenDiagnosticMessageText(broken.messageText, " "));
  // Comments that the compiler obeys.
  const orders = [...source.referencedFiles, ...source.typeReferenceDirectives, ...source.libReferenceDirectives];
  if (orders[0]) throw refuse(orders[0].pos, "a reference directive");
  if (/@ts-(?:nocheck|ignore|expect-error)/.test(text)) throw refuse(0, "a compiler directive");

  const isGenerated = (specifier: compiler.Expression | undefined): boolean => {
    if (!specifier || !ts.isStringLiteral(specifier) || !/^\.\.?\//.test(specifier.text)) return false;
    const target = posix.join(posix.dirname(path), specifier.text).replace(/\.js$/, ".ts");
    return files.has(target);
  };
  const inspectTypes = (node: compiler.Node): void => {
    if (ts.isImportTypeNode(node)) throw refuse(node.getStart(), "an import within a type");
    if (ts.isDecorator(node)) throw refuse(node.getStart(), "a decorator");
    ts.forEachChild(node, inspectTypes);
  };
  for (const statement of source.statements) {
    inspectTypes(statement);
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) continue;
    if (ts.isImportDeclaration(statement)) {
      if (isGenerated(statement.moduleSpecifier) && !statement.attributes) continue;
      throw refuse(statement.getStart(), "an import of something that is not generated");
    }
    if (ts.isExportDeclaration(statement)) {
      if (statement.moduleSpecifier ? isGenerated(statement.moduleSpecifier) : isEmptyExport(statement)) continue;
      throw refuse(statement.getStart(), "an export of something that is not generated");
    }
    if (ts.isVariableStatement(statement) && statement.declarationList.flags & ts.NodeFlags.Const) {
      const culprit = statement.declarationList.declarations.find(
        ({ name, initializer }) => !ts.isIdentifier(name) || !initializer || !isLiteral(initializer),
      );
      if (!culprit) continue;
      throw refuse(culprit.getStart(), "a constant that is no literal");
    }
    throw refuse(statement.getStart(), "a statement that could run");
  }
}

function isEmptyExport({ exportClause }: compiler.ExportDeclaration): boolean {
  return exportClause !== undefined && ts.isNamedExports(exportClause) && exportClause.elements.length === 0;
}

function isLiteral(node: compiler.Expression): boolean {
  if (ts.isAsExpression(node)) return ts.isConstTypeReference(node.type) && isLiteral(node.expression);
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isLiteral);
  if (ts.isObjectLiteralExpression(node)) {
    return node.properties.every(
      (property) =>
        ts.isPropertyAssignment(property) &&
        !ts.isComputedPropertyName(property.name) &&
        // As a key of a literal it would set the prototype.
        property.name.text !== "__proto__" &&
        isLiteral(property.initializer),
    );
  }
  if (ts.isPrefixUnaryExpression(node)) {
    return node.operator === ts.SyntaxKind.MinusToken && ts.isNumericLiteral(node.operand);
  }
  return (
    ts.isStringLiteral(node) ||
    ts.isNumericLiteral(node) ||
    [ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword, ts.SyntaxKind.NullKeyword].includes(node.kind)
  );
}

/**
 * Refuses generated Markdown with raw HTML or images, or with links to anywhere but other pages and the web.
 *
 * @throws {UserError} naming file and line
 */
export function inspectDocs(files: ReadonlyMap<string, string>): void {
  for (const [path, text] of files) {
    if (!path.endsWith(".md")) continue;
    let line = 1;
    for (const block of lexer(text)) {
      walkTokens([block], (token) => {
        if (isUnsafe(token)) {
          throw new UserError(
            `generated/${path}:${line}: HTML or a link that documentation must not have: text of the description is its source; change it by an overlay action`,
          );
        }
      });
      line += block.raw.split("\n").length - 1;
    }
  }
}

function isUnsafe({ type, raw, ...token }: Token): boolean {
  if (type !== "link") return ["html", "image", "def"].includes(type);
  const href = "href" in token ? String(token.href) : "";
  // What has no brackets is an address that stands in the text.
  return !(raw.startsWith("[") ? /^(?:https:\/\/|#|[\w.-]+\.md$)/ : /^(?:https?:\/\/|mailto:)/i).test(href);
}

/** What the TypeScript compiler says about a file. */
export interface Problem {
  path: string;
  line: number;
  message: string;
}

/**
 * What the compiler, strict as the strictest consumer's, says to generated modules.
 *
 * @param files text by path
 */
export function problemsIn(files: ReadonlyMap<string, string>): Problem[] {
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
    return text === undefined
      ? getSourceFile.call(host, path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  };
  const modules = [...files.keys()].filter((path) => path.endsWith(".ts"));
  return ts
    .getPreEmitDiagnostics(
      ts.createProgram(
        modules.map((path) => `/${path}`),
        options,
        host,
      ),
    )
    .map(({ file, start = 0, messageText }) => ({
      path: file?.fileName.slice(1) ?? "",
      line: (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
      message: ts.flattenDiagnosticMessageText(messageText, " "),
    }));
}

/** Type-checks the generated folder by itself. Throws {@link UserError} that names file and line. */
export function checkTypes(files: ReadonlyMap<string, string>): void {
  const [problem] = problemsIn(files);
  if (problem) throw new UserError(`generated/${problem.path}:${problem.line} does not compile: ${problem.message}`);
}
