import { spawnSync } from "node:child_process";
import type { TestContext } from "vitest";

/** Whether this machine has a program. */
export const has = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;

/**
 * Skips a test that this machine lacks something for; the reason is printed at the end of the run. In CI, which installs what
 * tests need, the test fails instead.
 */
export function needs({ skip }: Pick<TestContext, "skip">, isThere: unknown, otherwise: string): asserts isThere {
  if (isThere) return;
  if (process.env["CI"]) throw new Error(otherwise);
  skip(otherwise);
}
