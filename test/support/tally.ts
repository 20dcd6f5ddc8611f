import type { Reporter, TestModule } from "vitest/node";

/** Ends the output with the reasons of skipped tests, and with the tally on its own line, for scripts to read. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    const skips = new Map<string, number>();
    for (const module of modules) {
      if (module.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state !== "pending") count[result.state]++;
        // One without a reason was left out by somebody's choice.
        if (result.state !== "skipped" || !result.note) continue;
        const why = `${module.relativeModuleId}: ${result.note}`;
        skips.set(why, (skips.get(why) ?? 0) + 1);
      }
    }
    for (const [why, tests] of skips) console.log(`skipped ${tests} of ${why}`);
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}
