import type { ExecFileException } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { platform } from "node:process";
import { fileURLToPath } from "node:url";
import { UserError, root } from "../cli.js";
import { run } from "../npm.js";
import { withScratch } from "../scratch.js";

/** The SHA-256 that the jar of each version must have. The wrapper that downloads it checks nothing. */
const pinned: Readonly<Record<string, string>> = {
  "7.25.0": "41ce4f6b07f196676439d710759fa1ced7a08066d06ff1bf314681470289efae",
};

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

/** The suffix of the names of models. */
export function modelSuffix({ generators }: GeneratorConfig): string {
  return String(generators["models-and-docs"]?.["modelNameSuffix"] ?? "");
}

/**
 * The path of openapi-generator's jar, after its SHA-256 has been checked. If it is not there, the npm wrapper downloads it,
 * once, to a folder outside `node_modules`.
 *
 * @throws {UserError} if it cannot be downloaded, or is not the pinned one
 */
export async function ensureJar(config: GeneratorConfig, expected = pinned[config.version]): Promise<string> {
  const { version, storageDir } = config;
  if (expected === undefined)
    throw new UserError(`no SHA-256 is pinned for openapi-generator ${version}: add it to scripts/generate/jar.ts`);
  const folder = storageDir.replace(/^~(?=\/|$)/, homedir());
  const jar = join(folder, `${version}.jar`);
  if (!existsSync(jar)) await download(config, folder, jar, expected);
  const found = await sha256(jar);
  if (found !== expected)
    throw new UserError(`${jar} is not openapi-generator ${version}: its SHA-256 is ${found}; delete it and try again`);
  return jar;
}

async function download(config: GeneratorConfig, folder: string, jar: string, expected: string): Promise<void> {
  await withScratch(folder, async (scratch) => {
    const settings = join(scratch, "openapitools.json");
    await writeFile(settings, JSON.stringify({ "generator-cli": { ...config, storageDir: scratch } }));
    // It leaves a folder behind in the folder for temporary files.
    const env = { ...process.env, TMPDIR: scratch, TMP: scratch, TEMP: scratch };
    const args = [wrapper, "version", "--openapitools", settings];
    // On an error it prints megabytes of its source code, which help nobody.
    await run(process.execPath, args, { cwd: scratch, env, maxBuffer: Infinity }).catch(() => {});
    const fresh = join(scratch, `${config.version}.jar`);
    if (!existsSync(fresh))
      throw new UserError(
        `openapi-generator ${config.version} could not be downloaded: allow access to Maven Central once, or put its jar at ${jar}`,
      );
    const found = await sha256(fresh);
    if (found !== expected)
      throw new UserError(`the download is not openapi-generator ${config.version}: SHA-256 ${found}`);
    await rename(fresh, jar);
  });
}

const javaOptions = [
  // The JVM lives for a second or two: compiling less and collecting nothing beats its settings for servers.
  "-XX:TieredStopAtLevel=1",
  "-XX:+UseSerialGC",
  "-Dfile.encoding=UTF-8",
  // Each name is looked up for each schema. With the small default cache, the time grows faster than the description.
  "-Dorg.openapitools.codegen.utils.namecache.cachesize=100000",
  "-Dlog.level=error",
];

/**
 * Starts the generator. `finished` rejects with a {@link UserError} without Java 11 or newer, and with the generator's own
 * reason if it fails.
 */
export async function startJar(jar: string, args: readonly string[]): Promise<{ finished: Promise<void> }> {
  const given = process.env["JAVA_OPTS"]?.split(/\s+/).filter(Boolean) ?? [];
  const archive = await classArchive(jar);
  const options = [...javaOptions, ...archive.options, ...given];
  // Java decodes paths by the locale: in POSIX's locale "C", it finds no path that is not ASCII.
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  const running = run("java", [...options, "-jar", jar, ...args], { env, maxBuffer: Infinity });
  const fail = (error: UserError | ExecFileException): never => {
    throw error instanceof UserError ? error : new UserError(reasonOf(error));
  };
  return { finished: running.then(archive.keep, fail) };
}

/**
 * The JVM's archive of the jar's classes: it halves the time that the generator takes. The first run creates it for the later
 * ones, and a JVM ignores an archive that it cannot use. The JVM runs its content without a check, so it is kept in
 * a separate folder, and is used only if nobody but this user can write to that.
 */
export async function classArchive(jar: string): Promise<{ options: string[]; keep(): Promise<void> }> {
  const folder = jar.replace(/\.jar$/, "-classes");
  await mkdir(folder, { mode: 0o700 }).catch(() => {});
  const found = await lstat(folder).catch(() => undefined);
  const isPrivate = found?.isDirectory() && found.uid === (process.getuid?.() ?? 0) && (found.mode & 0o077) === 0;
  // Windows has neither such modes nor such ids, and keeps others out of a user's folders.
  if (!isPrivate && platform !== "win32") return { options: [], keep: async () => {} };
  const archive = join(folder, "classes.jsa");
  const fresh = join(folder, `${randomUUID()}.jsa`);
  const use = existsSync(archive) ? `-XX:SharedArchiveFile=${archive}` : `-XX:ArchiveClassesAtExit=${fresh}`;
  return {
    // Java 11 and 12 know no such archives.
    options: ["-XX:+IgnoreUnrecognizedVMOptions", use],
    // Without an archive it only takes longer.
    keep: () => rename(fresh, archive).catch(() => {}),
  };
}

function reasonOf({ code, stdout, stderr }: ExecFileException): string {
  if (code === "ENOENT") return "there is no java on the PATH: install Java 11 or newer";
  const lines = `${stderr}\n${stdout}`.split("\n").map((line) => line.trim());
  if (lines.some((line) => line.includes("UnsupportedClassVersionError")))
    return "this java is too old: install Java 11 or newer";
  const reason =
    // The findings of the generator's own validation follow this line.
    lines[lines.indexOf("Errors:") + 1 || lines.length]?.replace(/^-/, "") ??
    lines.find((line) => line.startsWith("Caused by: ")) ??
    lines.find((line) => /(?:Exception|Error): /.test(line)) ??
    lines.find((line) => line !== "") ??
    "no output";
  return `openapi-generator failed: ${reason.slice(0, 300)}`;
}

/** The SHA-256 of a whole file, computed off the main thread. */
async function sha256(path: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", await readFile(path))).toString("hex");
}
