import type { Reporter, TestModule } from "vitest/node";

/** Ends the output with the tally on a line of its own, for scripts to read. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      if (module.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state !== "pending") count[result.state]++;
        // A skip with a reason is one of this machine's.
        if (result.state === "skipped" && result.note) console.log(`skipped: ${test.fullName}, since ${result.note}`);
      }
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}
