import standalone from "ajv/dist/standalone/index.js";
import { defineConfig, type Rolldown, type UserConfig } from "tsdown";
import { licenses } from "./scripts/licenses.js";
import { ajv, described } from "./src/emulator/description.js";

const shared: UserConfig = { platform: "node", target: "es2022", hash: false, fixedExtension: false, dts: false };
const client = { index: "src/index.ts", store: "src/auth/shared-token-store.ts" };
const cache = { cache: "src/customer-token-cache.ts" };
const emulator = { emulator: "src/emulator/emulator.ts" };
const bundledLicenses = licenses();

/** What the emulator needs of the description, with Ajv's checks as code: where code must not make code, it still loads. */
const descriptionAsCode: Rolldown.Plugin = {
  name: "description-as-code",
  load(id) {
    if (!id.endsWith("emulator/description.ts")) return;
    const withBody = described.filter(({ schema }) => ajv.getSchema(schema));
    const checks = Object.fromEntries(withBody.map(({ operationId, schema }) => [operationId, schema]));
    const code = `export const described = ${JSON.stringify(described)}, bodyChecks = {};
((exports) => { ${standalone.default(ajv, checks)} })(bodyChecks);`;
    return { code, moduleType: "js" };
  },
};

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
    plugins: [descriptionAsCode, bundledLicenses, emulatorAsModule],
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
  { ...shared, entry: { cli: "src/cli/cli.ts" }, external: /^cybrid-customer-tokens/, plugins: [bundledLicenses] },
]);
