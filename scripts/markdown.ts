import { readFile, writeFile } from "node:fs/promises";
import { UserError } from "./cli.js";
import { prettify } from "./prettify.js";

/** Writes rows, the first of them the head, as a table in Markdown; a row may end early. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => "---"), ...body]
    .map((cells) => `| ${head.map((_, column) => cells[column] ?? "").join(" | ")} |`)
    .join("\n");
}

/**
 * Puts a text into a guide, between the comments `<!-- name -->` and `<!-- /name -->`.
 *
 * @throws {UserError} if the guide has no such comments
 */
export async function writeToGuide(path: string, name: string, text: string): Promise<void> {
  const guide = await readFile(path, "utf8");
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = guide.indexOf(start);
  const to = guide.indexOf(end, from);
  if (from < 0 || to < 0) throw new UserError(`${path}: expected the comments ${start} and ${end}`);
  const written = `${guide.slice(0, from + start.length)}\n\n${text}\n\n${guide.slice(to)}`;
  await writeFile(path, await prettify(written, "markdown"));
}
