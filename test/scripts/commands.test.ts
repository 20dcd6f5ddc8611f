import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { isPosix } from "../support/mode.js";

const { scripts } = JSON.parse(await readFile("package.json", "utf8")) as { scripts: Record<string, string> };
const own = Object.entries(scripts).filter(
  ([, line]) => line.includes(" scripts/") && (isPosix || !line.startsWith("sh ")),
);

/** Runs a command of package.json as npm does, without npm. */
async function run(line: string, ...args: string[]) {
  const [program = "", ...words] = line.split(" ");
  const ended = promisify(execFile)(program, [...words, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, stdout, stderr }),
  );
  return ended;
}

test("the repository has its commands", () => {
  expect(own.map(([name]) => name)).toEqual(expect.arrayContaining(["start", "pull", "generate", "release", "bench"]));
});

test.concurrent.each(own)("%s shows how it is used, and names an unknown option in one line", async (name, line) => {
  const [help, misspelled] = await Promise.all([run(line, "--help"), run(line, "--hepl")]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toMatch(new RegExp(`^Usage: ${name === "start" ? "npm start" : `npm run ${name}`}\\b`));
  expect(help.stdout).toMatch(/^ {2}-h, --help {2,}show this page$/m);
  expect(misspelled).toMatchObject({ code: 1, stdout: "" });
  expect(misspelled.stderr).toMatch(/^error: [^\n]*--hepl[^\n]*see --help\n$/);
});
