import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { command, UserError } from "./command.js";
import { canRequire, compile, createProject, type Setup, setups } from "./package/compile.js";
import { cached, pack, temporaryFolder } from "./package/npm.js";
import { table, writeToGuide } from "./table.js";

// The oldest that openapi-fetch's declarations allow, and the newest of each major version since.
const versions = ["5.4.5", "5.9.3", "6.0.3", "7.0.2"];

await command(async () => {
  const { values } = parseArgs({ options: { write: { type: "boolean" } } });
  const folder = await temporaryFolder();
  const project = join(folder, "project");
  const rows = [["TypeScript", "`bundler`", "`node16`", "`nodenext`", "`require` in CommonJS"]];
  let failures = 0;
  try {
    await createProject(await pack(folder), project);
    for (const version of versions) {
      const typescript = join(await cached("typescript", version), "typescript");
      const fine = new Set<Setup>();
      await atOnce(2, setups, async (setup) => {
        const problems = await compile(project, typescript, setup);
        if (problems === "") fine.add(setup);
        else console.log(`TypeScript ${version}, ${JSON.stringify(setup)}:\n${problems}`);
      });
      console.log(`TypeScript ${version}: ${fine.size} of ${setups.length} setups compile`);
      failures += setups.length - fine.size;
      const all = (chosen: readonly Setup[]) => (chosen.every((setup) => fine.has(setup)) ? "yes" : "no");
      const cells = (["bundler", "node16", "nodenext"] as const).map((moduleResolution) =>
        all(setups.filter((setup) => setup.moduleResolution === moduleResolution)),
      );
      const requiring = setups.filter((setup) => canRequire(version, setup));
      rows.push([version, ...cells, requiring.length === 0 ? "not known to it" : all(requiring)]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\n${table(rows)}\n`);
  if (failures > 0) throw new UserError(`${failures} setups do not compile`);
  if (values.write) await writeToGuide("docs/runtimes.md", "consumers", table(rows));
});

/** Does something with each item, a few at a time. */
async function atOnce<T>(count: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
}
