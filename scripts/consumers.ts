import { rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { command, UserError } from "./command.js";
import { addPrograms, compile, knows, resolutions, type Setup, setups } from "./package/compile.js";
import { createConsumer } from "./package/journey.js";
import { cached, install, pack, temporaryFolder } from "./package/npm.js";
import { Missing, oauthClients } from "./package/oauth-clients.js";
import { projects } from "./package/projects.js";
import { table, writeToGuide } from "./table.js";

const guide = "docs/runtimes.md";
// The oldest that openapi-fetch's declarations allow, and the newest of each major version since.
const versions = ["5.4.5", "5.9.3", "6.0.3", "7.0.2"];

await command(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
  const chosen = (title: string) => positionals.every((word) => title.toLowerCase().includes(word.toLowerCase()));
  const folder = await temporaryFolder();
  const project = join(folder, "project");
  const failures: string[] = [];
  const compiled = [["TypeScript", ...resolutions.map((name) => `\`${name}\``)]];
  const ran = [["Project", "Version", "Works"]];
  try {
    await install(project, [await pack(folder)]);
    await addPrograms(project);
    const consumer = await createConsumer(project);
    try {
      for (const project of [...projects, ...oauthClients].filter(({ title }) => chosen(title))) {
        const { title, version } = project;
        const problem = await project.run(consumer).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (problem instanceof Missing) {
          console.log(`${title}: skipped, since ${problem.message}`);
          continue;
        }
        if (projects.includes(project)) ran.push([title, version, "yes"]);
        console.log(`${title} ${version}: ${problem === undefined ? "works" : `fails\n${String(problem)}`}`);
        if (problem !== undefined) failures.push(title);
      }
    } finally {
      await consumer.close();
    }
    for (const version of versions.filter((version) => chosen(`TypeScript ${version}`))) {
      const typescript = join(await cached(`typescript@${version}`), "typescript");
      const known = setups.filter((setup) => knows(version, setup));
      const failed = new Set<Setup>();
      await atOnce(2, known, async (setup) => {
        const problems = await compile(project, typescript, setup);
        if (problems === "") return;
        failed.add(setup);
        console.log(`TypeScript ${version}, ${JSON.stringify(setup)}:\n${problems}`);
      });
      console.log(`TypeScript ${version}: ${known.length - failed.size} of ${known.length} setups compile`);
      if (failed.size > 0) failures.push(`TypeScript ${version}`);
      const cells = resolutions.map((name) => {
        if (!known.some(({ moduleResolution }) => moduleResolution === name)) return "gone";
        return [...failed].some(({ moduleResolution }) => moduleResolution === name) ? "no" : "yes";
      });
      compiled.push([version, ...cells]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`\n${table(ran)}\n\n${table(compiled)}\n`);
  if (failures.length > 0) throw new UserError(`the package does not work with ${failures.join(", ")}`);
  if (!values.write) return;
  if (positionals.length > 0) throw new UserError("--write needs all of them: leave the words out");
  await writeToGuide(guide, "projects", table(ran));
  await writeToGuide(guide, "consumers", table(compiled));
});

/** Does something with each item, a few at a time. */
async function atOnce<T>(count: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
}
