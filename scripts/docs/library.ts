import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rename } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../command.js";
import { npm, run } from "../package.js";
import { withScratch } from "../scratch.js";

/**
 * OpenAPI Explorer draws the page. Its one file is taken out of the package, since nothing else here needs what the
 * package would install. Of the libraries that draw a description it is the one that a screen reader can use: with
 * colors of ours, axe finds no fault in it.
 */
const pinned = {
  name: "openapi-explorer",
  version: "2.4.820",
  integrity: "sha512-mHSIxkQS57/QDZtLJKZL4zmsR2HStgBI4PbrgYr/+i+Bk+HgRwdtBRN1n0uUnlHUenpyiOJAKPGleThm5rdhsA==",
  file: "package/dist/browser/openapi-explorer.min.js",
};

/**
 * The library's JavaScript, out of its tarball in `folder`. Where the tarball is not there, npm downloads it, once.
 *
 * @throws {UserError} where it cannot be downloaded, or is not the pinned one
 */
export async function readLibrary(folder: string, { name, version, integrity, file } = pinned): Promise<string> {
  const tarball = join(folder, `${name}-${version}.tgz`);
  if (!existsSync(tarball)) await download(`${name}@${version}`, folder, tarball);
  const hash = createHash("sha512").update(await readFile(tarball));
  const found = `sha512-${hash.digest("base64")}`;
  if (found !== integrity)
    throw new UserError(`${tarball} is not ${name} ${version}: its integrity is ${found}; delete it and try again`);
  // By its name alone: one of the two `tar` on Windows takes `C:` for another machine.
  const { stdout } = await run("tar", ["-xzOf", basename(tarball), file], { cwd: folder, maxBuffer: 20_000_000 });
  return stdout;
}

async function download(packageSpec: string, folder: string, tarball: string): Promise<void> {
  await withScratch(folder, async (scratch) => {
    await npm(["pack", packageSpec, "--fetch-retries=0", "--loglevel=error"], { cwd: scratch });
    await rename(join(scratch, basename(tarball)), tarball);
  }).catch(() => {
    throw new UserError(
      `${packageSpec}, which draws the page, could not be downloaded: allow access to the npm registry once, or put its tarball at ${tarball}`,
    );
  });
}
