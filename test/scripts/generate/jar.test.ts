import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { classArchive, ensureJar, startJar } from "../../../scripts/generate/jar.js";
import { readFixture } from "../../support/cases.js";
import { isPosix } from "../../support/mode.js";
import { serve } from "../../support/serve.js";
import { treeForEach } from "../../support/tree.js";

const { at, put, read } = treeForEach();

describe.skipIf(!isPosix)("the archive of the jar's classes", () => {
  /** The path that an option names, and undefined without one. */
  async function archive(option: "ArchiveClassesAtExit" | "SharedArchiveFile"): Promise<string | undefined> {
    const { options } = await classArchive(at("1.0.0.jar"));
    return options.find((each) => each.startsWith(`-XX:${option}=`))?.split("=")[1];
  }

  async function firstRun(): Promise<string> {
    const { options, keep } = await classArchive(at("1.0.0.jar"));
    await writeFile(options.join().replace(/^.*-XX:ArchiveClassesAtExit=([^,]*).*$/, "$1"), "classes");
    await keep();
    return (await archive("SharedArchiveFile")) ?? "";
  }

  test("is left by the first run for the others", async () => {
    expect(await readFile(await firstRun(), "utf8")).toBe("classes");
    expect(await archive("ArchiveClassesAtExit")).toBeUndefined();
  });

  test("is not used if somebody else could have written it", async () => {
    const place = dirname(await firstRun());
    await chmod(place, 0o770);
    expect((await classArchive(at("1.0.0.jar"))).options).toEqual([]);
    await chmod(place, 0o700);
    expect(await archive("SharedArchiveFile")).toBeDefined();
    await rename(place, at("elsewhere"));
    await symlink(at("elsewhere"), place);
    expect((await classArchive(at("1.0.0.jar"))).options).toEqual([]);
  });

  test("is not used if there is no folder for it", async () => {
    const { options, keep } = await classArchive(at("none/1.0.0.jar"));
    expect(options).toEqual([]);
    await expect(keep()).resolves.toBeUndefined();
  });
});

test.runIf(isPosix).each(readFixture<[printed: string, reason: string][]>("java-errors"))(
  "a generator that fails with %j says why",
  async (printed, reason) => {
    await chmod(await put("java", `#!/bin/sh\ncat <<'END' >&2\n${printed}\nEND\nexit 1\n`), 0o755);
    vi.stubEnv("PATH", `${at()}${delimiter}${process.env["PATH"]}`);
    const { finished } = await startJar(at("1.0.0.jar"), []);
    await expect(finished).rejects.toMatchObject({ message: `openapi-generator failed: ${reason}` });
  },
);

test("the jar is downloaded once, and nothing else is left behind", async () => {
  const server = await serve((_, response) => response.end("a jar"));
  onTestFinished(server.close);
  await mkdir(at("tmp"));
  for (const name of ["TMPDIR", "TMP", "TEMP"]) vi.stubEnv(name, at("tmp"));
  const repository = { downloadUrl: `${server.url}/openapi-generator.jar` };
  const config = { version: "7.25.0", storageDir: at("jars"), generators: {}, repository };
  const expected = createHash("sha256").update("a jar").digest("hex");
  for (const _ of [1, 2]) expect(await ensureJar(config, expected)).toBe(at("jars/7.25.0.jar"));
  expect(await read("jars/7.25.0.jar")).toBe("a jar");
  const other = ensureJar({ ...config, storageDir: at("other") }, "0");
  await expect(other).rejects.toThrow(/the download is not/);
  expect(server.requests).toHaveLength(2);
  expect(await readdir(at("jars"))).toEqual(["7.25.0.jar"]);
  expect(await readdir(at("other"))).toEqual([]);
  expect(await readdir(at("tmp"))).toEqual([]);
});
