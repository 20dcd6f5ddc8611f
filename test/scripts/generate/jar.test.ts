import { chmod, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { platform } from "node:process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { classArchive } from "../../../scripts/generate/jar.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "jar-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** The path that an option names. */
const named = ({ options }: { options: string[] }, name: string) =>
  options.find((option) => option.startsWith(`-XX:${name}=`))?.split("=")[1] ?? "";

describe.skipIf(platform === "win32")("the archive of the jar's classes", () => {
  test("is left by the first run for the others", async () => {
    const jar = join(folder, "1.0.0.jar");
    const first = await classArchive(jar);
    await writeFile(named(first, "ArchiveClassesAtExit"), "classes");
    await first.keep();
    expect(await readFile(named(await classArchive(jar), "SharedArchiveFile"), "utf8")).toBe("classes");
  });

  test("is not used where somebody else could have written it", async () => {
    const jar = join(folder, "1.0.0.jar");
    const first = await classArchive(jar);
    await writeFile(named(first, "ArchiveClassesAtExit"), "classes");
    await first.keep();
    const place = dirname(named(await classArchive(jar), "SharedArchiveFile"));
    await chmod(place, 0o770);
    expect((await classArchive(jar)).options).toEqual([]);
    await chmod(place, 0o700);
    expect((await classArchive(jar)).options).not.toEqual([]);

    await rename(place, join(folder, "elsewhere"));
    await symlink(join(folder, "elsewhere"), place);
    expect((await classArchive(jar)).options).toEqual([]);
  });

  test("is done without where there is no folder for it", async () => {
    const { options, keep } = await classArchive(join(folder, "none", "1.0.0.jar"));
    expect(options).toEqual([]);
    await expect(keep()).resolves.toBeUndefined();
  });
});
