import { expect, test } from "vitest";
import { spec } from "../../../generated/emulator/spec.js";
import { fill, readFixture } from "../../support/cases.js";
import { run } from "../../support/command-line.js";
import { guid } from "../../support/service.js";

type Word = string | Record<string, string>;

const words: Record<string, Word[]> = {
  $create: ["create", "--customer", guid, "--scope", "prices:read"],
  $bank: [{ CYBRID_CLIENT_ID: "bank", CYBRID_CLIENT_SECRET: "canary-client-secret" }],
};
const usage = fill(readFixture<Record<string, Word[][]>>("usage"), {
  $guid: guid,
  $paths: Object.keys(spec.paths).join(", "),
});
const rows = Object.entries(usage).flatMap(([message, lines]) => lines.map((line) => [line, message] as const));

test.each(rows)("%j: %s", async (line, message) => {
  const all = line.flatMap((word) => (typeof word === "string" && words[word]) || [word]);
  const args = all.filter((word) => typeof word === "string");
  const env: Record<string, string> = Object.assign({}, ...all.filter((word) => typeof word === "object"));
  const [first = ""] = args;
  const see = ["create", "emulator", "scopes"].includes(first) ? ` ${first}` : "";
  const outcome = await run(args, env);
  expect(outcome).toEqual({
    status: 2,
    stdout: "",
    stderr: `error: ${message}\nSee 'cybrid-customer-tokens${see} --help'.\n`,
  });
  expect(JSON.stringify(outcome)).not.toContain("canary");
});
