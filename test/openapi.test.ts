import { readFile } from "node:fs/promises";
import { lintFromString, loadConfig } from "@redocly/openapi-core";
import { expect, test } from "vitest";

const path = "openapi/customer-tokens.yaml";

test("the description keeps the rules of openapi/redocly.yaml, and a mistake in it would not", async () => {
  const config = await loadConfig({ configPath: "openapi/redocly.yaml" });
  const lint = (source: string) => lintFromString({ source, absoluteRef: path, config });
  const source = await readFile(path, "utf8");
  expect(await lint(source)).toEqual([]);
  const broken = source.replace(/^( *)operationId: .*$/m, "$&\n$1operatonId: again");
  expect(await lint(broken)).toMatchObject([{ ruleId: "struct", message: expect.stringContaining("operatonId") }]);
});
