import type { TestContext } from "vitest";

/**
 * Skips a test that this machine lacks something for; the reason is printed at the end of the run. In CI, which installs what
 * tests need, the test fails instead.
 */
export function needs({ skip }: Pick<TestContext, "skip">, isThere: unknown, otherwise: string): asserts isThere {
  if (isThere) return;
  if (process.env["CI"]) throw new Error(otherwise);
  skip(otherwise);
}
