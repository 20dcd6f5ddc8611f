import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Rolldown } from "tsdown";
import { UserError } from "./cli.js";

/**
 * Writes the licenses of bundled packages next to the bundles, as those licenses require. Builds that share the plugin
 * share the file.
 */
export function licenses(): Rolldown.Plugin {
  const folders = new Set<string>();
  return {
    name: "licenses",
    // The builds run in parallel. Nothing here is asynchronous, so the last one writes the licenses of all.
    writeBundle({ dir = "dist" }, bundle) {
      for (const output of Object.values(bundle))
        for (const id of output.type === "chunk" ? output.moduleIds : []) {
          const [folder] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id.replaceAll("\\", "/")) ?? [];
          if (folder !== undefined) folders.add(folder);
        }
      const text = [...folders]
        .map(notice)
        .sort()
        .join(`\n${"-".repeat(80)}\n\n`);
      writeFileSync(join(dir, "THIRD_PARTY_LICENSES.txt"), text);
    },
  };
}

/** @throws {UserError} if a package has no license text */
function notice(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, string>;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(?:\.\w+)?$/i.test(entry));
  if (file === undefined) throw new UserError(`${name} is bundled into dist, but has no license to go with it`);
  return `${name} ${version}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}
