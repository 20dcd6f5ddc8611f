import { expect, test } from "vitest";
import { withProxy } from "../../../src/cli/proxy.js";
import { readCases } from "../../support/cases.js";

type Environment = Record<string, string>;

test.each(readCases<{ env: Environment; needs?: Environment }>("proxies"))(
  "the environment for Node: %s",
  (_, { env, needs }) => {
    expect(withProxy(env)).toEqual(needs);
  },
);

test.each(["socks5://canary@p:1", "http://", "canary p:1"])("%j, with which Node does not start, is refused", (url) => {
  expect(() => withProxy({ HTTP_PROXY: url })).toThrow(/^expected an http: or https: URL in HTTP_PROXY$/);
});
