import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { command, UserError } from "./command.js";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Writes the licences of what is bundled into `dist/` beside it, as those licences ask for. */
async function main(): Promise<void> {
  const dist = join(root, "dist");
  const names = new Set<string>();
  for (const file of await readdir(dist)) {
    if (!file.endsWith(".js")) continue;
    // The bundler marks where each module begins.
    const regions = (await readFile(join(dist, file), "utf8")).matchAll(
      /^\/\/#region node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/gm,
    );
    for (const [, name = ""] of regions) names.add(name);
  }
  const notices = await Promise.all([...names].sort().map(notice));
  await writeFile(join(dist, "THIRD_PARTY_LICENSES.txt"), notices.join(`\n${"-".repeat(80)}\n\n`));
}

/** @throws {UserError} where a package states no licence text */
async function notice(name: string): Promise<string> {
  const folder = join(root, "node_modules", name);
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e(?:\.\w+)?$/i.test(entry));
  if (file === undefined) throw new UserError(`${name} is bundled into dist, but has no licence to go with it`);
  const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as { version: string };
  return `${name} ${version}\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`;
}

await command(main);
