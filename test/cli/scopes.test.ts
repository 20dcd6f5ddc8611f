import { expect, test } from "vitest";
import { PostCustomerTokenIdpModelScopesEnum } from "../../src/index.js";
import { run } from "../support/command-line.js";

test("lists every scope, with a blank line between resources", async () => {
  const { status, stdout, stderr } = await run(["scopes"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const groups = stdout.split("\n\n").map((group) => group.trim().split("\n"));
  expect(groups.flat().toString()).toBe(Object.values(PostCustomerTokenIdpModelScopesEnum).toString());
  const resources = groups.map((group) => new Set(group.map((scope) => scope.split(":", 1)[0])));
  expect(resources.every(({ size }) => size === 1)).toBe(true);
  expect(new Set(resources.flatMap((names) => [...names])).size).toBe(groups.length);
});
