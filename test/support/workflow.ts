import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { parse } from "yaml";
import { run } from "../../scripts/npm.js";

interface Step {
  uses?: string;
  run?: string;
  if?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string | number>;
  "continue-on-error"?: boolean;
}
export interface Job {
  "runs-on": string;
  steps: Step[];
}

const folder = ".github/workflows";

/** The jobs of all workflows, by `file job`. */
export async function readJobs(): Promise<Map<string, Job>> {
  const files = (await readdir(folder)).sort();
  const workflows = await Promise.all(
    files.map(
      async (file) =>
        [file, parse(await readFile(join(folder, file), "utf8")) as { jobs: Record<string, Job> }] as const,
    ),
  );
  return new Map(
    workflows.flatMap(([file, { jobs }]) =>
      Object.entries(jobs).map(([name, job]) => [`${file} ${name}`, job] as const),
    ),
  );
}

/** Programs that this machine may have and the host's image does not have: a step has to install them. */
const notOnImage = new Set(["redis-server", "redis-cli", "chromium-headless-shell"]);

/** Programs that replace those of the host. They write their arguments to the file `calls`. */
const stubs = "test/fixtures/workflow-host";

/** A substitute for the host of the workflows, in a folder: the programs of its image, its stubs, and those that a job installs. */
export async function createHost(home: string) {
  for (const name of ["image", "packages"]) await mkdir(join(home, name));
  for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
    const programs = directory.includes("node_modules") ? [] : await readdir(directory).catch(() => []);
    for (const name of programs)
      // The first one with a name is used.
      await symlink(join(directory, name), join(home, notOnImage.has(name) ? "packages" : "image", name)).catch(
        () => {},
      );
  }
  await cp(stubs, join(home, "stubs"), { recursive: true });
  /** Without the variables that the test run itself sets. */
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(?:npm_(?:lifecycle|package)|VITEST|LONG$|NODE_ENV$|MODE$|DEV$|PROD$|TEST$)/.test(name),
    ),
  );

  /**
   * Runs the steps of a job in a new clone.
   *
   * @param artifact the folder for what is uploaded, and downloaded
   * @param options.origin the repository, and `ref` its branch or tag. Default: main
   * @param options.skip commands that are left out; "npm ci" gets a link to the packages that are here
   * @returns its output, and the steps that failed and may fail
   */
  async function runJob(job: Job, artifact: string, options: { origin: string; ref?: string; skip?: string[] }) {
    const { origin, ref = "main", skip = [] } = options;
    const [clone, installed] = [await mkdtemp(join(home, "job-")), await mkdtemp(join(home, "installed-"))];
    const path = [join(home, "stubs"), installed, join(home, "image")].join(delimiter);
    let printed = "";
    const tolerated: string[] = [];
    for (const step of job.steps) {
      const { uses = "", run: command, with: inputs = {} } = step;
      const action = uses.replace(/@.*/, "");
      if (action === "actions/checkout") {
        await run("git", ["clone", "--quiet", "--depth=1", `--branch=${ref}`, `file://${origin}`, clone]);
      } else if (action === "actions/upload-artifact") {
        for (const pattern of String(inputs["path"]).trim().split("\n")) await upload(clone, pattern, artifact);
      } else if (action === "actions/download-artifact") {
        await cp(artifact, join(clone, String(inputs["path"] ?? ".")), { recursive: true });
      } else if (/^actions\/setup-(?:node|java)$/.test(action)) {
        // This machine's own.
      } else if (command === undefined) {
        throw new Error(`no way to run ${uses}`);
      } else if (command === "npm ci" && skip.includes(command)) {
        await symlink(resolve("node_modules"), join(clone, "node_modules"));
      } else if (!skip.includes(command)) {
        const env = {
          ...environment,
          ...variables(step.env, ref),
          CI: "true",
          HOST: home,
          INSTALLED: installed,
          PATH: path,
        };
        const shell = ["-e", "-o", "pipefail", "-c", command];
        await run("bash", shell, { cwd: clone, env, maxBuffer: 2 ** 26, timeoutMs: 3_600_000 }).then(
          ({ stdout }) => (printed += stdout),
          ({ stdout = "", stderr = "" }: Partial<Record<string, string>>) => {
            const failure = `${command}\n${stdout.slice(-5_000)}${stderr.slice(-5_000)}`;
            if (step["continue-on-error"] !== true) throw new Error(failure);
            tolerated.push(failure);
          },
        );
      }
    }
    return { printed, tolerated };
  }

  /** The calls of the stubs since the last time. */
  async function calls(): Promise<string[]> {
    const file = join(home, "calls");
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);
    await writeFile(file, "");
    return lines;
  }

  return { runJob, calls };
}

/** A step's variables. Names of secrets and tokens are their values. */
function variables(env: Step["env"] = {}, ref: string): Record<string, string> {
  const given = Object.entries(env).map(([name, value]) => [
    name,
    String(value).replace(/^\$\{\{ (?:secrets|github)\.(\w+) \}\}$/, "$1"),
  ]);
  return { GITHUB_REF_NAME: ref, ...(Object.fromEntries(given) as Record<string, string>) };
}

/** @throws if there is no such file, as `if-no-files-found: error` has it */
async function upload(from: string, pattern: string, to: string): Promise<void> {
  const names = pattern.startsWith("*")
    ? (await readdir(from)).filter((name) => name.endsWith(pattern.slice(1)))
    : [pattern];
  if (names.length === 0) throw new Error(`there is no ${pattern} to upload`);
  for (const name of names) await cp(join(from, name), join(to, name), { recursive: true });
}
