import { join } from "node:path";
import { inject, test } from "vitest";
import { cachedNode } from "../../../scripts/npm.js";
import { expectToObeyProxy } from "../../support/proxy.js";

test.each(["20.19.0", "22.23.3", "24.21.0", "26.10.0"])(
  "`create` obeys HTTPS_PROXY as Node %s can",
  async (version) => {
    const cli = join(inject("project"), "node_modules", "cybrid-customer-tokens", "dist", "cli.js");
    await expectToObeyProxy(await cachedNode(version), cli);
  },
);
