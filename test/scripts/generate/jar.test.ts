import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { platform } from "node:process";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { classArchive, ensureJar } from "../../../scripts/generate/jar.js";

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

test("the jar is downloaded once, and nothing else is left behind", async () => {
  const bytes = "a jar";
  let requests = 0;
  const server = createServer((_, response) => response.end(bytes, () => requests++)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const [temporary, storageDir] = [join(folder, "tmp"), join(folder, "jars")];
  await mkdir(temporary);
  for (const name of ["TMPDIR", "TMP", "TEMP"]) vi.stubEnv(name, temporary);
  const downloadUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/openapi-generator.jar`;
  const config = { version: "7.25.0", storageDir, generators: {}, repository: { downloadUrl } };
  const expected = createHash("sha256").update(bytes).digest("hex");
  try {
    const jar = join(storageDir, "7.25.0.jar");
    expect([await ensureJar(config, expected), await ensureJar(config, expected)]).toEqual([jar, jar]);
    expect(await readFile(jar, "utf8")).toBe(bytes);
    await expect(ensureJar({ ...config, storageDir: join(folder, "other") }, "0")).rejects.toThrow(
      /what was downloaded is not/,
    );
  } finally {
    server.close();
  }
  expect(requests).toBe(2);
  expect(await readdir(storageDir)).toEqual(["7.25.0.jar"]);
  expect(await readdir(join(folder, "other"))).toEqual([]);
  expect(await readdir(temporary)).toEqual([]);
});
