import { fileURLToPath } from "node:url";
import { beforeAll, expect, inject, test } from "vitest";
import { addPrograms, compile, setups } from "../../scripts/package/compile.js";

// The short version of `npm run test:consumers`: the installed TypeScript, with Node's types.

const typescript = fileURLToPath(new URL("../../node_modules/typescript", import.meta.url));
const project = inject("project");

beforeAll(() => addPrograms(project));

test.each(
  setups.filter(({ moduleResolution, platform }) => platform === "node" && /nodenext|node10/.test(moduleResolution)),
)(
  "consumers compile with moduleResolution $moduleResolution",
  async (setup) => {
    expect(await compile(project, typescript, setup)).toBe("");
  },
  120_000,
);
