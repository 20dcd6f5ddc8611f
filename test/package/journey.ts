import { readFileSync } from "node:fs";
import { expect, inject } from "vitest";
import { run } from "../../scripts/npm.js";
import { table } from "../../scripts/markdown.js";

/** The outcome of each step of a journey. */
export type Outcomes = Record<string, string>;

/** The outcomes that are expected. */
export const expected: Outcomes = {
  bearer: "token",
  clientCredentials: "token",
  wrongSecret: "TokenRequestError 401 invalid_client",
  unknownCustomer: "ApiError 422 no_customer",
  shortGuid: "InvalidArgumentError customer_guid",
  noServer: "ConnectionError",
  noResponse: "TimeoutError",
  api: "201 data",
};

/**
 * Sends a program on its journey in another process, in Node or in a runtime that is called like Node, and asserts the
 * outcomes.
 *
 * @param command The runtime and its arguments
 * @param file `program.js` imports the package, `program.cjs` requires it
 * @returns the versions that the runtime names
 */
export async function runProgram(
  [runtime = "", ...args]: readonly string[],
  file: string,
  folder = inject("project"),
): Promise<Record<string, string>> {
  const all = [...args, file, JSON.stringify(inject("setting"))];
  const { stdout } = await run(runtime, all, { cwd: folder, timeout: 60_000 });
  const { versions, outcomes } = JSON.parse(stdout) as { versions: Record<string, string>; outcomes: Outcomes };
  expect(outcomes, file).toEqual(expected);
  return versions;
}

/** Asserts that the guide has a table, whatever the width of its columns. */
export function expectInGuide(rows: readonly (readonly string[])[]): void {
  const guide = readFileSync(new URL("../../docs/runtimes.md", import.meta.url), "utf8");
  const narrow = (text: string) => text.replace(/ +/g, " ").replace(/-{3,}/g, "---");
  expect(narrow(guide).split("\n\n")).toContain(narrow(table(rows)));
}
