import { defineConfig, type UserConfig } from "tsdown";

const shared: UserConfig = {
  platform: "node",
  target: "es2022",
  hash: false,
  fixedExtension: false,
  dts: false,
  // Bundled packages keep the path below node_modules by which `licences.ts` knows them.
  inputOptions: { resolve: { symlinks: false } },
};
const client = { index: "src/index.ts", store: "src/auth/store.ts" };
const emulator = { emulator: "src/emulator/emulator.ts" };

// Several builds, since what one of them bundles must not land in a chunk that another one loads.
export default defineConfig([
  { ...shared, entry: client, sourcemap: true },
  { ...shared, entry: emulator },
  { ...shared, entry: { ...client, ...emulator }, dts: { emitDtsOnly: true } },
  { ...shared, entry: { cli: "src/cli/cli.ts" }, sourcemap: true, external: /^cybrid-customer-tokens/ },
]);
