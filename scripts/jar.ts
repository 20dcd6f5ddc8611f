import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { Refusal } from "./command.js";

/** What a jar must hash to. The wrapper that downloads it checks nothing. */
const pinned: Readonly<Record<string, string>> = {
  "7.25.0": "41ce4f6b07f196676439d710759fa1ced7a08066d06ff1bf314681470289efae",
};

const root = fileURLToPath(new URL("../", import.meta.url));
const wrapper = fileURLToPath(import.meta.resolve("@openapitools/openapi-generator-cli/main.js"));

/** The part of openapitools.json that says which generator runs, and how. */
export interface GeneratorConfig {
  version: string;
  storageDir: string;
  generators: Record<string, Record<string, unknown>>;
}

export async function readGeneratorConfig(path = join(root, "openapitools.json")): Promise<GeneratorConfig> {
  const config = JSON.parse(await readFile(path, "utf8")) as { "generator-cli": GeneratorConfig };
  return config["generator-cli"];
}

/**
 * The path of openapi-generator's jar, after its SHA-256 has been checked. Where it is not there, the npm wrapper
 * downloads it, once, to a folder outside `node_modules`.
 *
 * @throws {Refusal} where it cannot be downloaded, or is not the pinned one
 */
export async function ensureJar(config: GeneratorConfig, expected = pinned[config.version]): Promise<string> {
  const { version, storageDir } = config;
  if (expected === undefined) {
    throw new Refusal(`no SHA-256 is pinned for openapi-generator ${version}: add it to scripts/jar.ts`);
  }
  const folder = storageDir.replace(/^~(?=\/|$)/, homedir());
  const jar = join(folder, `${version}.jar`);
  if (!(await exists(jar))) await download(config, folder, jar, expected);
  const found = await sha256(jar);
  if (found !== expected) {
    throw new Refusal(`${jar} is not openapi-generator ${version}: its SHA-256 is ${found}; delete it and try again`);
  }
  return jar;
}

/** Downloads into a folder beside the target, so that no half a jar ever stands in its place. */
async function download(config: GeneratorConfig, folder: string, jar: string, expected: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, "download-"));
  try {
    const { version } = config;
    const settings = join(scratch, "openapitools.json");
    await writeFile(settings, JSON.stringify({ "generator-cli": { version, storageDir: scratch } }));
    // On an error the wrapper prints megabytes of its own source: nobody gets to see them.
    await run(process.execPath, [wrapper, "version", "--openapitools", settings], { cwd: scratch });
    const fresh = join(scratch, `${version}.jar`);
    if (!(await exists(fresh))) {
      throw new Refusal(
        `openapi-generator ${version} could not be downloaded: allow access to Maven Central once, or put its jar at ${jar}`,
      );
    }
    const found = await sha256(fresh);
    if (found !== expected)
      throw new Refusal(`what was downloaded is not openapi-generator ${version}: SHA-256 ${found}`);
    await rename(fresh, jar);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Runs the generator.
 *
 * @throws {Refusal} without Java 11 or newer, or with the generator's own reason
 */
export async function runJar(jar: string, args: readonly string[]): Promise<void> {
  // The JVM lives for a second or two: compiling less and collecting nothing beats what it does for servers.
  const options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"];
  const given = process.env["JAVA_OPTS"]?.split(/\s+/).filter(Boolean) ?? [];
  const { status, output, missing } = await run("java", [...options, ...given, "-jar", jar, ...args]);
  if (missing) throw new Refusal("there is no java on the PATH: install Java 11 or newer");
  if (output.includes("UnsupportedClassVersionError"))
    throw new Refusal("this java is too old: install Java 11 or newer");
  if (status !== 0) throw new Refusal(`openapi-generator failed: ${cause(output)}`);
}

/** The line of a generator's log that says what went wrong. */
function cause(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  const found =
    // What the generator's own validation found stands below this line.
    lines[lines.indexOf("Errors:") + 1 || lines.length]?.replace(/^-/, "") ??
    lines.find((line) => line.startsWith("Caused by: ")) ??
    lines.find((line) => /(?:Exception|Error): /.test(line)) ??
    lines.find((line) => /\bERROR\b/.test(line)) ??
    lines.find((line) => line !== "" && !/\bINFO\b/.test(line)) ??
    "it said nothing";
  return found.slice(0, 300);
}

/** Runs a command with its output in a file, of which the last 200 kB are given back. */
async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string } = {},
): Promise<{ status: number | null; output: string; missing: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), "openapi-generator-"));
  try {
    const path = join(folder, "output.log");
    const file = await open(path, "w");
    const child = spawn(command, args, { ...options, stdio: ["ignore", file.fd, file.fd] });
    const result = await new Promise<{ status: number | null; missing: boolean }>((resolve) => {
      child.on("error", () => resolve({ status: null, missing: true }));
      child.on("close", (status) => resolve({ status, missing: false }));
    });
    await file.close();
    return { ...result, output: (await readFile(path, "utf8")).slice(-200_000) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
