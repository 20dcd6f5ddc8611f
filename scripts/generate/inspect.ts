import { posix } from "node:path";
import { lexer, type Token, walkTokens } from "marked";
import type compiler from "typescript";
import { UserError } from "../cli.js";
import { ts } from "./typescript.js";

/**
 * Refuses generated TypeScript that could do anything when it is loaded: it may contain types, relative imports and
 * re-exports between generated files, and constants of literals. The generators are trusted not to be malicious, but not to
 * escape everything that a spec contains.
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
      `generated/${path}:${line + 1}: ${problem}: text of the description would run as code; change it with an overlay action`,
    );
  };
  const { parseDiagnostics } = source as unknown as { parseDiagnostics: readonly compiler.DiagnosticWithLocation[] };
  const [broken] = parseDiagnostics;
  if (broken) throw refuse(broken.start, ts.flattenDiagnosticMessageText(broken.messageText, " "));
  // Comments that the compiler obeys.
  const directives = [...source.referencedFiles, ...source.typeReferenceDirectives, ...source.libReferenceDirectives];
  if (directives[0]) throw refuse(directives[0].pos, "a reference directive");
  if (/@ts-(?:nocheck|ignore|expect-error)/.test(text)) throw refuse(0, "a compiler directive");

  const isGenerated = (specifier: compiler.Expression): boolean => {
    if (!ts.isStringLiteral(specifier) || !/^\.\.?\//.test(specifier.text)) return false;
    const target = posix.join(posix.dirname(path), specifier.text).replace(/\.js$/, ".ts");
    return files.has(target);
  };
  const inspectTypes = (node: compiler.Node): void => {
    if (ts.isImportTypeNode(node)) throw refuse(node.getStart(), "an import within a type");
    ts.forEachChild(node, inspectTypes);
  };
  for (const statement of source.statements) {
    inspectTypes(statement);
    if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) continue;
    if (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) {
      const { moduleSpecifier: from, attributes } = statement;
      // An export without a module exports one of the constants, or nothing.
      if ((!from || isGenerated(from)) && !attributes) continue;
      const kind = ts.isImportDeclaration(statement) ? "import" : "export";
      throw refuse(statement.getStart(), `an ${kind} of something that is not generated`);
    }
    if (ts.isVariableStatement(statement) && statement.declarationList.flags & ts.NodeFlags.Const) {
      const culprit = statement.declarationList.declarations.find(
        ({ name, initializer }) => !ts.isIdentifier(name) || !initializer || !isLiteral(initializer),
      );
      if (!culprit) continue;
      throw refuse(culprit.getStart(), "a constant that is not a literal");
    }
    throw refuse(statement.getStart(), "a statement that could run");
  }
}

function isLiteral(node: compiler.Expression): boolean {
  if (ts.isAsExpression(node)) return ts.isConstTypeReference(node.type) && isLiteral(node.expression);
  if (ts.isArrayLiteralExpression(node)) return node.elements.every(isLiteral);
  if (ts.isObjectLiteralExpression(node))
    return node.properties.every(
      (property) =>
        ts.isPropertyAssignment(property) &&
        !ts.isComputedPropertyName(property.name) &&
        // As a key of a literal it would set the prototype.
        property.name.text !== "__proto__" &&
        isLiteral(property.initializer),
    );
  if (ts.isPrefixUnaryExpression(node))
    return node.operator === ts.SyntaxKind.MinusToken && ts.isNumericLiteral(node.operand);
  const { StringLiteral, NumericLiteral, TrueKeyword, FalseKeyword, NullKeyword } = ts.SyntaxKind;
  return [StringLiteral, NumericLiteral, TrueKeyword, FalseKeyword, NullKeyword].includes(node.kind);
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
      void walkTokens([block], (token) => {
        if (isUnsafe(token))
          throw new UserError(
            `generated/${path}:${line}: HTML or a link that the reference must not contain; it comes from the description: change it with an overlay action`,
          );
      });
      line += block.raw.split("\n").length - 1;
    }
  }
}

function isUnsafe({ type, raw, ...token }: Token): boolean {
  if (type !== "link") return ["html", "image", "def"].includes(type);
  const href = "href" in token ? String(token.href) : "";
  // A link without brackets is an address in the text.
  return !(raw.startsWith("[") ? /^(?:https:\/\/|#|[\w.-]+\.md$)/ : /^(?:https?:\/\/|mailto:)/i).test(href);
}
