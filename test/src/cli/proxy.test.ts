import { expect, test } from "vitest";
import { withProxy } from "../../../src/cli/proxy.js";

test.each<[title: string, env: Record<string, string>, expected: object | undefined]>([
  ["no proxy", { NO_PROXY: "*", PATH: "/bin" }, undefined],
  ["an empty one", { HTTPS_PROXY: "" }, undefined],
  ["Node uses it already", { HTTPS_PROXY: "http://p:1", NODE_USE_ENV_PROXY: "1" }, undefined],
  ["Node was told not to", { HTTPS_PROXY: "http://p:1", NODE_USE_ENV_PROXY: "0" }, undefined],
  ["a proxy", { HTTPS_PROXY: "http://u:s@p:1/" }, { HTTPS_PROXY: "http://u:s@p:1/", NODE_USE_ENV_PROXY: "1" }],
  [
    "without a scheme",
    { https_proxy: "p:3128", http_proxy: "HTTPS://p", PATH: "/bin" },
    { https_proxy: "http://p:3128", http_proxy: "HTTPS://p", PATH: "/bin", NODE_USE_ENV_PROXY: "1" },
  ],
])("the environment for Node: %s", (_, env, expected) => {
  expect(withProxy(env)).toEqual(expected);
});

test.each(["socks5://canary@p:1", "http://", "canary p:1"])("%j, with which Node does not start, is refused", (url) => {
  expect(() => withProxy({ HTTP_PROXY: url })).toThrow(/^expected an http: or https: URL in HTTP_PROXY$/);
});
