import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { long } from "./test/support/mode.js";

// With the packed package. Only the first of them are part of `npm test`.
const packed = [
  "test/package/*.test.ts",
  "test/package/consumers/*.test.ts",
  "test/package/runtimes/*.test.ts",
  "test/package/machines/*.test.ts",
];
// Nothing in them is part of `npm test`.
const longRuns = ["test/long/add-operations/**", "test/long/descriptions/**", "test/long/oasdiff/**"];
const source = fileURLToPath(new URL("src/", import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      // README's examples import the package by its name.
      { find: /^cybrid-customer-tokens$/, replacement: `${source}index.ts` },
      { find: /^cybrid-customer-tokens\/store$/, replacement: `${source}auth/shared-token-store.ts` },
      { find: /^cybrid-customer-tokens\/cache$/, replacement: `${source}customer-token-cache.ts` },
      { find: /^cybrid-customer-tokens\/emulator$/, replacement: `${source}emulator/emulator.ts` },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "source",
          // To load the compilers for each file anew takes as long as a quarter of the tests. Stryker needs it: a mutant that is
          // not loaded anew would count as one that no test notices.
          isolate: "STRYKER_MUTATOR_WORKER" in process.env,
          include: ["test/**/*.test.ts"],
          exclude: [...packed, ...(long ? [] : longRuns), "test/package/programs/**"],
        },
      },
      {
        extends: true,
        test: {
          name: "package",
          include: long ? packed : ["test/package/*.test.ts"],
          globalSetup: "test/package/pack.ts",
          // They install other packages, and compile.
          testTimeout: 300_000,
        },
      },
    ],
    reporters: ["default", "./test/support/tally.ts"],
    // Vitest leaves a core to others, which on a machine of two is half of them.
    maxWorkers: "100%",
    // Long runs print what they find as they go.
    disableConsoleIntercept: long,
    setupFiles: "test/support/restore.ts",
    testTimeout: 30_000,
  },
});
