import { expect, test } from "vitest";
import { spec } from "../../../generated/emulator/spec.js";
import { run } from "../../support/command-line.js";
import { guid } from "../../support/service.js";

const bank = { CYBRID_CLIENT_ID: "bank", CYBRID_CLIENT_SECRET: "canary-client-secret" };

/** Right as it is. */
const create = ["create", "--customer", guid, "--scope", "prices:read"];
const oneScope = "--scope: expected one scope; repeat the option for each";
const credentials = "'create' takes no credentials from arguments: set them in the environment";
const timeout = "--timeout-ms: expected a number of milliseconds above 0 and below 2 ** 31";

const wrong: [args: string[], message: string, env?: Record<string, string>][] = [
  [[], "no command given"],
  [["craete"], "no command 'craete'"],
  [["--json"], "options come after the command"],
  [["help", "emulate"], "no command 'emulate'"],
  [["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2ln"], "no command of that name"],
  [["create", "--scope", "customers:read"], "--customer GUID is missing"],
  [["create", "--customer", guid], "--scope SCOPE is missing"],
  [
    ["create", "--customer", "short", "--scope", "prices:read"],
    "--customer: expected a string of 32 characters, got 5",
    bank,
  ],
  [["create", "--customer", guid, "--scope", "prices:read,quotes:read"], oneScope],
  [["create", "--customer", guid, "--scope", "prices:read quotes:read"], oneScope],
  [["create", "--customer", guid, "--customer", guid], "--customer may be given only once"],
  [[...create, "--scope", "prices:read"], "--scope: expected each of them once", bank],
  [["create", "--customer", guid, "--scope"], "--scope requires a value: SCOPE"],
  [["create", "--customer", guid, "--scope", "--json"], "--scope requires a value: SCOPE"],
  [["create", "--customer", guid, "--scope="], "--scope requires a value: SCOPE"],
  [["create", "--custmer", guid], "'create' has no option '--custmer'"],
  [["create", "-x"], "'create' has no option '-x'"],
  [["create", "--__proto__"], "'create' has no option '--__proto__'"],
  [["create", "--json=yes"], "--json takes no value"],
  [["create", guid], "'create' takes no arguments, only options"],
  [["create", "--client-secret", "canary"], credentials],
  [["create", "--access-token=canary"], credentials],
  [create, "no credentials: set CYBRID_CLIENT_ID and CYBRID_CLIENT_SECRET, or CYBRID_ACCESS_TOKEN"],
  [create, "CYBRID_CLIENT_SECRET: expected a string of printable ASCII, got nothing", { CYBRID_CLIENT_ID: "bank" }],
  [
    create,
    "CYBRID_ACCESS_TOKEN: expected a bank token of visible ASCII, without 'Bearer ' before it",
    { CYBRID_ACCESS_TOKEN: "Bearer canary" },
  ],
  [[...create, "--environment", "prod"], "--environment: expected sandbox or production", bank],
  [
    [...create, "--base-url", "http://example.com"],
    "--base-url: expected https: on a host that is not loopback (or --allow-insecure-http), got http:",
    bank,
  ],
  [
    [...create, "--base-url", "localhost:4010"],
    "--base-url: expected a URL with its scheme, https:// (or http:// on this machine)",
    bank,
  ],
  [[...create, "--timeout-ms", "10s"], timeout, bank],
  [[...create, "--timeout-ms", "0"], timeout, bank],
  [
    create,
    "expected an http: or https: URL in https_proxy",
    { ...bank, https_proxy: "socks5://canary@127.0.0.1:1080" },
  ],
  [["emulator", "--customer-token-lifetime", "9"], "'emulator' has no option '--customer-token-lifetime'"],
  [["emulator", "--port", "http"], "--port: expected a port number, or 0"],
  [["emulator", "--client", "reader:secret"], "--client: expected a JSON object"],
  [["emulator", "--fault", "{"], "--fault: expected a JSON object"],
  [
    ["emulator", "--fault", '{"path":"/"}'],
    `--fault: expected the path of an operation (${Object.keys(spec.paths).join(", ")} or /.well-known/jwks.json)`,
  ],
  [["emulator", "--signing-key", "canary.pem"], "--signing-key: expected a file that can be read"],
  [
    ["emulator", "--signing-key", "package.json"],
    "--signing-key: expected an RSA private key of at least 2048 bits, as PEM",
  ],
  [
    ["emulator", "--token-requests", "0"],
    "--quotas: expected at most tokenRequests, customerTokens, windowSeconds, each from 1",
  ],
  [["emulator", "--bank-token-lifetime-seconds", "0"], "--bank-token-lifetime-seconds: expected seconds above 0"],
];

test.each(wrong)("%j: %s", async (args, message, env) => {
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
