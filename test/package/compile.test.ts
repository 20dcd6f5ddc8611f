import ts from "typescript";
import { inject, test } from "vitest";
import { long } from "../support/mode.js";
import { expectInGuide } from "./journey.js";
import { tsc } from "./tsc.js";

// Programs compile against the package. `npm test` has the installed TypeScript with Node's types, and
// `npm run test:consumers` has every setup.

const project = inject("project");

// The oldest that openapi-fetch's declarations allow, and the newest of each major version since.
const versions = ["5.4.5", "5.9.3", "6.0.3", "7.0.2"];

/** Every `moduleResolution` of TypeScript, and the `module` that a project has with it. */
const modules = { bundler: "esnext", node16: "node16", nodenext: "nodenext", node10: "commonjs" };
type Resolution = keyof typeof modules;
const resolutions = Object.keys(modules) as Resolution[];

const knows = (version: string, resolution: Resolution) => resolution !== "node10" || Number.parseInt(version) < 7;

const setups = versions.flatMap((version) =>
  resolutions
    .filter((resolution) => knows(version, resolution))
    // Where the platform's types come from. Without any, openapi-fetch's declarations need `skipLibCheck`.
    .flatMap((resolution) => (["dom", "node", "none"] as const).map((platform) => ({ version, resolution, platform }))),
);
const short = setups.filter(
  ({ version, resolution, platform }) =>
    version === ts.version && platform === "node" && /nodenext|node10/.test(resolution),
);

test("the guide lists these versions", () => {
  const cells = (version: string) => resolutions.map((name) => (knows(version, name) ? "yes" : "removed"));
  expectInGuide([
    ["TypeScript", ...resolutions.map((name) => `\`${name}\``)],
    ...versions.map((version) => [version, ...cells(version)]),
  ]);
});

test.concurrent.for(long ? setups : short)(
  "TypeScript $version, moduleResolution $resolution, types of: $platform",
  async ({ version, resolution, platform }, { expect }) => {
    const files = ["journey.ts", "types.ts"];
    if (platform !== "none") files.push("platform.ts", "emulator.ts");
    // Node's types bring `Symbol.asyncDispose`.
    if (platform === "node") files.push("using.ts");
    if (resolution !== "bundler") files.push("require.cts");
    const compilerOptions = {
      exactOptionalPropertyTypes: true,
      noEmit: true,
      module: modules[resolution],
      moduleResolution: resolution,
      ...(version.startsWith("6.") && resolution === "node10" ? { ignoreDeprecations: "6.0" } : {}),
      skipLibCheck: platform === "none",
      lib: ["es2022", ...(platform === "dom" ? ["dom"] : [])],
      types: platform === "node" ? ["node"] : [],
    };
    expect(await tsc(project, version, { files, compilerOptions })).toBe("");
  },
);
