import { expect, test } from "vitest";
import { PostCustomerTokenIdpModelScopesEnum } from "../../../src/index.js";
import { run } from "../../support/command-line.js";

test("lists every scope, one on each line", async () => {
  const stdout = `${Object.values(PostCustomerTokenIdpModelScopesEnum).join("\n")}\n`;
  expect(await run(["scopes"])).toEqual({ status: 0, stdout, stderr: "" });
});
