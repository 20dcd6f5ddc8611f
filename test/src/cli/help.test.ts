import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { run } from "../../support/command-line.js";

test.each(["--version", "-V", "-v"])("%s", async (option) => {
  const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  expect(await run([option])).toEqual({ status: 0, stdout: `cybrid-customer-tokens ${version}\n`, stderr: "" });
});

test("the help of the program lists the commands, and each has its own page, however it is requested", async () => {
  const program = await run(["--help"]);
  expect(await run(["help"])).toEqual(program);
  for (const name of ["create", "scopes", "emulator"]) {
    const page = await run([name, "--help"]);
    expect(await run(["help", name])).toEqual(page);
    expect(await run([name, "-h"])).toEqual(page);
    expect(program.stdout).toMatch(new RegExp(`^  ${name} +\\w`, "m"));
    expect(page.stdout).toMatch(
      new RegExp(`^Usage: cybrid-customer-tokens ${name} .*\n\nOptions:\n.*  -h, --help +show this page\n`, "s"),
    );
    expect(page.stdout).toMatch(new RegExp(`\nExample:\n  .*cybrid-customer-tokens ${name} .*\n$`, "s"));
    for (const { status, stdout, stderr } of [program, page]) {
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toContain("\nExit status:\n  0  done\n");
    }
  }
});
