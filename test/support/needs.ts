import { spawnSync } from "node:child_process";
import type { TestContext } from "vitest";

/** Whether this machine has a program. */
export const has = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;

/** Whether whoever started the tests has installed what they need, as `.ci/run` does: nothing may be skipped then. */
export const requireAll = process.env["REQUIRE_ALL"] === "1";

/** Skips a test that this machine lacks something for; the reason is printed at the end of the run. */
export function needs({ skip }: Pick<TestContext, "skip">, isThere: unknown, otherwise: string): asserts isThere {
  if (isThere) return;
  if (requireAll) throw new Error(otherwise);
  skip(otherwise);
}
