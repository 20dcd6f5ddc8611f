import { readFile } from "node:fs/promises";
import { getLineColLocation, lintFromString, loadConfig } from "@redocly/openapi-core";
import { expect, test } from "vitest";

const path = "openapi/customer-tokens.yaml";

test("the description keeps the rules of openapi/redocly.yaml, and a mistake in it is named with its place", async () => {
  const config = await loadConfig({ configPath: "openapi/redocly.yaml" });
  const lint = async (source: string): Promise<string[]> =>
    (await lintFromString({ source, absoluteRef: path, config })).map(({ location: [at], message, ruleId }) => {
      const { line, col } = at ? getLineColLocation(at).start : {};
      return `${path}:${line}:${col}: ${message} (${ruleId})`;
    });
  const source = await readFile(path, "utf8");
  expect(await lint(source)).toEqual([]);
  const broken = source.replace(/^( *)operationId: .*$/m, "$&\n$1operatonId: again");
  const line = broken.split("\n").findIndex((row) => row.includes("operatonId")) + 1;
  expect(await lint(broken)).toEqual([expect.stringMatching(`${path}:${line}:\\d+: .*operatonId.* \\(struct\\)`)]);
});
