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
    return new UserError(`generated/${path}:${line + 1}: ${problem}; the spec has got into the code`);
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
          throw new UserError(`generated/${path}:${line}: HTML or a link that documentation must not have`);
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

const proofName = "agreement.ts";

/**
 * Type-checks the generated folder by itself, and with the proof that the two generators agree: each model is assignable
 * to openapi-typescript's type of the same schema, and back.
 *
 * In the proof each model refers to openapi-typescript's types where it refers to other models. So one comparison is one
 * model deep, whatever the schemas' references lead to, and all of them together say the same.
 *
 * @param proof text of a module that makes the comparisons; it is checked beside the others, and never written
 * @throws {UserError} naming the file and line, or the schema on which they differ
 */
export function checkTypes(files: ReadonlyMap<string, string>, proof: string): void {
  const all = new Map([...files].filter(([path]) => path.endsWith(".ts")).map(([path, text]) => [`/${path}`, text]));
  const schemas = new Map(
    [...proof.matchAll(/^export const (\w+): .*\["schemas"\]\[(".*?")\]/gm)].map(([, model = "", schema = ""]) => [
      model,
      schema,
    ]),
  );
  for (const [path, text] of files) {
    if (!/^models\/.*\.ts$/.test(path)) continue;
    const apart = text.replace(/^import type \{ (\w+) \} from "\.\/.*";$/gm, (_, model: string) => {
      return `type ${model} = import("../paths.js").components["schemas"][${schemas.get(model) ?? '""'}];`;
    });
    all.set(`/proof/${path}`, apart.replaceAll('"../paths.js"', '"../../paths.js"'));
  }
  all.set(`/${proofName}`, proof.replace('"./models/index.js"', '"./proof/models/index.js"'));
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
  host.fileExists = (path) => all.has(path);
  host.directoryExists = () => true;
  host.getCurrentDirectory = () => "/";
  host.getSourceFile = (path, ...rest) => {
    const text = all.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  };
  const program = ts.createProgram([...all.keys()], options, host);
  const problems = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...program.getSemanticDiagnostics(),
  ];
  // A file that does not compile spoils the proof as well: it is named first.
  const problem = problems.find(({ file }) => file && files.has(file.fileName.slice(1))) ?? problems[0];
  if (!problem) return;
  const message = ts.flattenDiagnosticMessageText(problem.messageText, " ");
  const { file, start = 0 } = problem;
  if (!file) throw new UserError(`the generated code does not compile: ${message}`);
  const { line } = file.getLineAndCharacterOfPosition(start);
  if (file.fileName === `/${proofName}`) {
    const [, schema] = /\["schemas"\]\[(".*?")\]/.exec(proof.split("\n")[line] ?? "") ?? [];
    throw new UserError(`openapi-generator and openapi-typescript disagree about the schema ${schema ?? message}`);
  }
  throw new UserError(`generated${file.fileName}:${line + 1} does not compile: ${message}`);
}
