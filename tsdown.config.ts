import { defineConfig, type Rolldown, type UserConfig } from "tsdown";
import { licences } from "./scripts/licences.js";

const shared: UserConfig = { platform: "node", target: "es2022", hash: false, fixedExtension: false, dts: false };
const client = { index: "src/index.ts", store: "src/auth/store.ts" };
const cache = { cache: "src/cache.ts" };
const emulator = { emulator: "src/emulator/emulator.ts" };
const bundledLicences = licences();

/** The emulator weighs more than all the rest: it is there once, as CommonJS, which ES modules can load everywhere. */
const emulatorAsModule: Rolldown.Plugin = {
  name: "emulator-as-module",
  generateBundle(_options, bundle) {
    for (const output of Object.values(bundle)) {
      if (output.type !== "chunk") continue;
      const source = `export { ${output.exports.join(", ")} } from "./${output.fileName}";\n`;
      this.emitFile({ type: "asset", fileName: output.fileName.replace(/cjs$/, "js"), source });
    }
  },
};

/** TypeScript wants declarations of CommonJS to be files of their own. */
const declarationsOfCommonJs: Rolldown.Plugin = {
  name: "declarations-of-commonjs",
  generateBundle(_options, bundle) {
    for (const { fileName, ...output } of Object.values(bundle)) {
      if (output.type !== "chunk" || !fileName.endsWith(".d.ts")) continue;
      const source = output.code.replaceAll(/(?<= from "\.\/[^"]+)\.js(?=")/g, ".cjs");
      this.emitFile({ type: "asset", fileName: fileName.replace(/ts$/, "cts"), source });
    }
  },
};

// Several builds, since what one of them bundles must not land in a chunk that another one loads.
export default defineConfig([
  {
    ...shared,
    entry: client,
    format: ["esm", "cjs"],
    sourcemap: true,
    outputOptions: (_options, format) => ({ chunkFileNames: format === "cjs" ? "shared.cjs" : "shared.js" }),
  },
  { ...shared, entry: cache, format: ["esm", "cjs"] },
  {
    ...shared,
    entry: emulator,
    format: "cjs",
    // Names stay, for stacks.
    minify: { mangle: false, compress: true, codegen: { removeWhitespace: true } },
    plugins: [bundledLicences, emulatorAsModule],
  },
  {
    ...shared,
    entry: { ...client, ...cache, ...emulator },
    dts: { emitDtsOnly: true },
    plugins: [declarationsOfCommonJs],
    // One file for all that two entries share, instead of one for each set of entries.
    outputOptions: {
      chunkFileNames: "shared.d.ts",
      advancedChunks: { groups: [{ name: "shared", minShareCount: 2 }] },
    },
  },
  { ...shared, entry: { cli: "src/cli/cli.ts" }, external: /^cybrid-customer-tokens/, plugins: [bundledLicences] },
]);
