import { readFile, writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { UserError } from "./command.js";

/** Writes rows, the first of them the head, as a table in Markdown; a row may end early. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => "---"), ...body]
    .map((cells) => `| ${head.map((_, column) => cells[column] ?? "").join(" | ")} |`)
    .join("\n");
}

/**
 * Puts a text into README, between the comments `<!-- name -->` and `<!-- /name -->`.
 *
 * @throws {UserError} where README has no such comments
 */
export async function writeToReadme(name: string, text: string): Promise<void> {
  const readme = await readFile("README.md", "utf8");
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = readme.indexOf(start);
  const to = readme.indexOf(end, from);
  if (from < 0 || to < 0) throw new UserError(`README.md: expected the comments ${start} and ${end}`);
  const written = `${readme.slice(0, from + start.length)}\n\n${text}\n\n${readme.slice(to)}`;
  await writeFile("README.md", await format(written, { ...(await resolveConfig("README.md")), parser: "markdown" }));
}
