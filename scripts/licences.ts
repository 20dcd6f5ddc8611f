import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Rolldown } from "tsdown";
import { UserError } from "./command.js";

/** Puts the licences of the packages that a bundle holds beside it, as those licences ask for. */
export function licences(): Rolldown.Plugin {
  return {
    name: "licences",
    async generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const output of Object.values(bundle)) {
        for (const id of output.type === "chunk" ? output.moduleIds : []) {
          const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replaceAll("\\", "/")) ?? [];
          if (folder !== undefined) folders.add(folder);
        }
      }
      const notices = await Promise.all([...folders].map(notice));
      const source = notices.sort().join(`\n${"-".repeat(80)}\n\n`);
      this.emitFile({ type: "asset", fileName: "THIRD_PARTY_LICENSES.txt", source });
    },
  };
}

/** @throws {UserError} where a package states no licence text */
async function notice(folder: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Record<string, string>;
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e(?:\.\w+)?$/i.test(entry));
  if (file === undefined) throw new UserError(`${name} is bundled into dist, but has no licence to go with it`);
  return `${name} ${version}\n\n${(await readFile(join(folder, file), "utf8")).trim()}\n`;
}
