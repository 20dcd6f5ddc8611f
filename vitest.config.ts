import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = fileURLToPath(new URL("src/", import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      // README's examples import the package by its name.
      { find: /^cybrid-customer-tokens$/, replacement: `${source}index.ts` },
      { find: /^cybrid-customer-tokens\/store$/, replacement: `${source}auth/store.ts` },
      { find: /^cybrid-customer-tokens\/cache$/, replacement: `${source}cache.ts` },
      { find: /^cybrid-customer-tokens\/emulator$/, replacement: `${source}emulator/emulator.ts` },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: { name: "source", include: ["test/**/*.test.ts"], exclude: ["test/package/**"] },
      },
      {
        extends: true,
        test: { name: "package", include: ["test/package/*.test.ts"], globalSetup: "test/package/pack.ts" },
      },
      {
        extends: true,
        test: {
          name: "types",
          typecheck: {
            only: true,
            enabled: true,
            include: ["test/types/*.test-d.ts"],
            tsconfig: "test/types/tsconfig.json",
          },
        },
      },
    ],
    reporters: ["default", "./test/support/tally.ts"],
    restoreMocks: true,
    unstubEnvs: true,
    testTimeout: 30_000,
  },
});
