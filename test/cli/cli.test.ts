import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build, type Metafile } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PostCustomerTokenIdpModelScopesEnum } from "../../generated/models/index.js";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";

const guid = "0123456789abcdef0123456789abcdef";
const secret = "canary-client-secret";
let folder: string;
let metafile: Metafile;
let emulator: Emulator;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cli-"));
  // Bundled once, each of the many processes starts four times as fast as with a loader.
  ({ metafile } = await build({
    entryPoints: ["src/cli/cli.ts"],
    outdir: join(folder, "dist"),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    metafile: true,
  }));
  await copyFile("package.json", join(folder, "package.json"));
  emulator = await startEmulator({
    clients: [
      { clientId: "bank", clientSecret: secret },
      { clientId: "reader", clientSecret: secret, scopes: ["customers:read"] },
    ],
  });
});

afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

const bank = { CYBRID_CLIENT_ID: "bank", CYBRID_CLIENT_SECRET: secret };

/** Runs the command with this environment and no other. */
async function run(args: readonly string[], env: Record<string, string> = {}) {
  return new Promise<{ status: number | string; stdout: string; stderr: string }>((resolve) => {
    const options = { env, timeout: 20_000 };
    execFile(process.execPath, [join(folder, "dist/cli.js"), ...args], options, (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, stdout, stderr });
    });
  });
}

const create = (...args: string[]) => ["create", "--base-url", emulator.url, "--customer", guid, ...args];

describe("create", () => {
  test("prints the token alone", async () => {
    const { status, stdout, stderr } = await run(create("--scope", "customers:read", "--scope=accounts:read"), bank);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(claims(stdout)).toMatchObject({ sub: guid, scope: ["customers:read", "accounts:read"] });
  });

  test("--json prints the answer and its expiry", async () => {
    const { status, stdout, stderr } = await run(create("--scope", "customers:read", "--json"), bank);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const answer = JSON.parse(stdout) as { access_token: string; expires_at: string };
    expect(Object.keys(answer)).toEqual(["access_token", "expires_at"]);
    expect(answer.expires_at).toBe(new Date(claims(answer.access_token).exp * 1000).toISOString());
  });

  test("uses CYBRID_ACCESS_TOKEN and then asks for no bank token", async () => {
    const env = { ...bank, CYBRID_ACCESS_TOKEN: await bankToken() };
    const asked = emulator.counts["/oauth/token"];
    const { status, stderr } = await run(create("--scope", "customers:read"), env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(emulator.counts["/oauth/token"]).toBe(asked);
  });

  test("sends a scope that it does not know, with a warning", async () => {
    expect(await run(create("--scope", "customers:raed"), bank)).toEqual({
      status: 1,
      stdout: "",
      stderr:
        "warning: this version knows no scope 'customers:raed' (did you mean 'customers:read'?)\n" +
        "error: the service answered 422 (invalid_parameter: Invalid parameter: scopes/0 must be equal to one of the allowed values)\n",
    });
  });

  const refused: [title: string, env: Record<string, string>, message: string][] = [
    [
      "a wrong secret",
      { CYBRID_CLIENT_SECRET: "canary-wrong" },
      "the token request was refused with 401 (invalid_client: Client authentication failed)",
    ],
    [
      "a bank token that is none",
      { CYBRID_ACCESS_TOKEN: "canary-token" },
      "the service answered 401 (authentication_failed: Signature verification raised)",
    ],
    [
      "a client that may not write",
      { CYBRID_CLIENT_ID: "reader" },
      "the token request was refused with 400 (invalid_scope: The client may not have this scope)",
    ],
  ];

  test.each(refused)("%s: one sentence with status and code, exit status 1", async (_, env, message) => {
    const outcome = await run(create("--scope", "customers:read"), { ...bank, ...env });
    expect(outcome).toEqual({ status: 1, stdout: "", stderr: `error: ${message}\n` });
    expect(JSON.stringify(outcome)).not.toContain("canary");
  });

  test("what a server says stays on its line, and away from the terminal", async () => {
    const body = { error: "invalid_client", error_description: "no\r\nfake: ok\u001b[2J\u202e" };
    emulator.play({ path: "/oauth/token", status: 401, body, nth: emulator.counts["/oauth/token"] + 1 });
    expect(await run(create("--scope", "customers:read"), bank)).toEqual({
      status: 1,
      stdout: "",
      stderr: "error: the token request was refused with 401 (invalid_client: no fake: ok [2J )\n",
    });
  });

  test("an unknown customer: one sentence with status and code, exit status 1", async () => {
    const args = ["create", "--base-url", emulator.url, "--customer", "f".repeat(32), "--scope", "customers:read"];
    const stderr = "error: the service answered 422 (no_customer: Unknown customer)\n";
    expect(await run(args, bank)).toEqual({ status: 1, stdout: "", stderr });
  });

  test("no server: one sentence that says why", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    await once(server.close(), "close");
    const outcome = await run(
      ["create", "--base-url", `http://127.0.0.1:${port}`, "--customer", guid, "--scope", "a:b"],
      bank,
    );
    expect(outcome.stderr).toMatch(/^warning: .*\nerror: no answer \(ECONNREFUSED\)\n$/);
    expect(outcome.status).toBe(1);
  });

  test("a server that hangs: ends after --timeout-ms", async () => {
    emulator.play({ path: "/oauth/token", delayMs: Infinity, nth: emulator.counts["/oauth/token"] + 1 });
    expect(await run(create("--scope", "customers:read", "--timeout-ms", "200"), bank)).toEqual({
      status: 1,
      stdout: "",
      stderr: "error: no complete answer within 200 ms\n",
    });
  });

  test("a quota: says when to try again", async () => {
    emulator.play({
      path: "/oauth/token",
      status: 429,
      headers: { "retry-after": "120", "content-type": "text/html" },
      body: "<h1>Too many</h1>",
    });
    expect(await run(create("--scope", "customers:read"), bank)).toEqual({
      status: 1,
      stdout: "",
      stderr: "error: the token request was refused with 429 (text/html); try again in 120 seconds\n",
    });
  });

  test("what only the emulator needs is not loaded", () => {
    const loaded = new Set<string>();
    const visit = (output: string) => {
      const { inputs, imports } = metafile.outputs[output] ?? { inputs: {}, imports: [] };
      for (const input of Object.keys(inputs)) loaded.add(input);
      for (const { path, kind } of imports) if (kind === "import-statement") visit(path);
    };
    visit(Object.keys(metafile.outputs).find((output) => output.endsWith("/cli.js")) ?? "");
    const names = [...loaded];
    expect(names).toContain("src/client.ts");
    expect(names.filter((name) => /emulator|ajv|jose|generated\/spec/.test(name))).toEqual([]);
  });
});

describe("usage", () => {
  const wrong: [args: string[], message: string, env?: Record<string, string>][] = [
    [[], "no command given"],
    [["craete"], "no command 'craete'; did you mean 'create'?"],
    [["teleport"], "no command 'teleport'"],
    [["--json"], "options come after the command"],
    [["help", "emulate"], "no command 'emulate'; did you mean 'emulator'?"],
    [["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2ln"], "no command of that name"],
    [["create", "--scope", "customers:read"], "--customer GUID is missing"],
    [["create", "--customer", guid], "--scope SCOPE is missing"],
    [
      ["create", "--customer", "short", "--scope", "customers:read"],
      "--customer: expected a string of 32 characters, got 5",
      bank,
    ],
    [["create", "--customer", guid, "--customer", guid], "--customer is given twice"],
    [
      ["create", "--customer", guid, "--scope", "prices:read", "--scope", "prices:read"],
      "--scope: expected each scope once, got the same at 0 and 1",
      bank,
    ],
    [["create", "--customer", guid, "--scope"], "--scope SCOPE: the value is missing"],
    [["create", "--customer", guid, "--scope", "--json"], "--scope SCOPE: the value is missing"],
    [["create", "--customer", guid, "--scope="], "--scope SCOPE: the value is missing"],
    [["create", "--custmer", guid], "'create' has no option '--custmer'; did you mean '--customer'?"],
    [["create", "-x"], "'create' has no option '-x'"],
    [["create", "--__proto__"], "'create' has no option '--__proto__'"],
    [["create", "--json=yes"], "--json takes no value"],
    [["create", guid], "'create' takes options only"],
    [
      ["create", "--client-secret", "canary"],
      "'create' takes no credentials from arguments: set them in the environment",
    ],
    [
      ["emulator", "--customer-token-lifetim", "9"],
      "'emulator' has no option '--customer-token-lifetim'; did you mean '--customer-token-lifetime'?",
    ],
    [["emulator", "--host", "localhost"], "--host: expected an IP address"],
    [["create", "--access-token=canary"], "'create' takes no credentials from arguments: set them in the environment"],
    [
      ["create", "--customer", guid, "--scope", "prices:read"],
      "no credentials: set CYBRID_CLIENT_ID and CYBRID_CLIENT_SECRET, or CYBRID_ACCESS_TOKEN",
    ],
    [
      ["create", "--customer", guid, "--scope", "prices:read"],
      "CYBRID_CLIENT_SECRET: expected a string of printable ASCII, got nothing",
      { CYBRID_CLIENT_ID: "bank" },
    ],
    [
      ["create", "--customer", guid, "--scope", "prices:read"],
      "CYBRID_ACCESS_TOKEN: expected a bank token of visible ASCII, without 'Bearer ' before it",
      { CYBRID_ACCESS_TOKEN: "Bearer canary" },
    ],
    [
      ["create", "--customer", guid, "--scope", "prices:read", "--environment", "prod"],
      "--environment: expected sandbox or production",
      bank,
    ],
    [
      ["create", "--customer", guid, "--scope", "prices:read", "--base-url", "http://example.com"],
      "--base-url: expected https: on a host that is not loopback (or --allow-insecure-http), got http:",
      bank,
    ],
    [
      ["create", "--customer", guid, "--scope", "prices:read", "--allow-insecure-http"],
      "--allow-insecure-http goes with --base-url only",
      bank,
    ],
    [
      ["create", "--customer", guid, "--scope", "prices:read", "--timeout-ms", "10s"],
      "--timeout-ms: expected a whole number",
      bank,
    ],
    [
      ["create", "--customer", guid, "--scope", "prices:read", "--timeout-ms", "0"],
      "--timeout-ms: expected a number of milliseconds above 0 and below 2 ** 31",
      bank,
    ],
    [["emulator", "--port", "99999"], "--port: expected a port number, or 0"],
    [["emulator", "--customer", "short"], '--customer: expected "any", or guids of 32 characters'],
    [["emulator", "--fault", "{"], "--fault: expected a JSON object"],
    [
      ["emulator", "--fault", '{"path":"/"}'],
      "--fault: expected the path of an operation (/oauth/token, /api/customer_tokens or /.well-known/jwks.json)",
    ],
    [["emulator", "--bank-token-lifetime", "0"], "--bank-token-lifetime: expected seconds above 0"],
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
});

describe("scopes", () => {
  test("lists every scope, with a blank line between resources", async () => {
    const { status, stdout, stderr } = await run(["scopes"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const groups = stdout.split("\n\n").map((group) => group.trim().split("\n"));
    expect(groups.flat().toString()).toBe(Object.values(PostCustomerTokenIdpModelScopesEnum).toString());
    const resources = groups.map((group) => new Set(group.map((scope) => scope.split(":", 1)[0])));
    expect(resources.every(({ size }) => size === 1)).toBe(true);
    expect(new Set(resources.flatMap((names) => [...names])).size).toBe(groups.length);
  });

  test("a reader that stops reading is no failure", async () => {
    const child = spawn(process.execPath, [join(folder, "dist/cli.js"), "scopes"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const [status] = (await once(child, "close")) as [number];
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe("help", () => {
  test("--version", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
    const outcome = { status: 0, stdout: `cybrid-customer-tokens ${version}\n`, stderr: "" };
    expect(await run(["--version"])).toEqual(outcome);
    expect(await run(["-V"])).toEqual(outcome);
  });

  test("of the program", async () => {
    const { status, stdout, stderr } = await run(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect((await run(["help"])).stdout).toBe(stdout);
    expect(stdout).toMatchInlineSnapshot(`
      "NAME
          cybrid-customer-tokens - mints access tokens for a bank's customers on Cybrid

      SYNOPSIS
          cybrid-customer-tokens COMMAND [OPTION]...
          cybrid-customer-tokens help [COMMAND]
          cybrid-customer-tokens --version

      COMMANDS
          create    creates an access token for a customer
          scopes    lists the scopes that a customer token can have
          emulator  serves an emulated identity provider for tests

      'cybrid-customer-tokens help COMMAND' or 'cybrid-customer-tokens COMMAND --help'
      shows the options, environment, exit status and examples of a command.

      This is an independent program: it is not made or endorsed by Cybrid.
      "
    `);
  });

  test("of create", async () => {
    const { status, stdout, stderr } = await run(["create", "--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect((await run(["help", "create"])).stdout).toBe(stdout);
    expect((await run(["create", "--customer", guid, "-h"])).stdout).toBe(stdout);
    expect(stdout).toMatchInlineSnapshot(`
      "NAME
          cybrid-customer-tokens create - creates an access token for a customer

      SYNOPSIS
          cybrid-customer-tokens create --customer GUID --scope SCOPE [--scope SCOPE]...
              [--environment NAME | --base-url URL [--allow-insecure-http]]
              [--timeout-ms N] [--json]

      DESCRIPTION
          Creates one access token for one customer of the bank and prints it, and
          nothing else, to standard output. Everything else goes to standard error.

          Credentials come from the environment and never from arguments, which every
          user of the machine can read.

      OPTIONS
          --customer GUID
              The customer the token is for: 32 characters.

          --scope SCOPE
              What the token may be used for; once for each scope. Ask for the fewest that
              will do. 'cybrid-customer-tokens scopes' lists them.

          --environment NAME
              Which of the service's environments to use: sandbox or production.
              Default: sandbox.

          --base-url URL
              Base URL instead of an environment, such as an emulator's: https:, or http: on
              this machine. The bank token is asked for on the same host.

          --allow-insecure-http
              Allows a base URL with http: on another machine. The credentials then travel
              in the clear.

          --timeout-ms N
              Milliseconds for all of it, retries included. Default: 10000.

          --json
              Prints JSON instead: the service's answer, with the token's expiry added as
              "expires_at" (ISO 8601, or null where the token states none).

          -h, --help
              Shows this page.

      ENVIRONMENT
          CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET
              The bank's client credentials. A bank token is asked for first, which counts
              against its own quota: 20 requests in five minutes.

          CYBRID_ACCESS_TOKEN
              A bank token that you already have, without 'Bearer ' before it. It is used
              instead of client credentials where both are set.

          NODE_EXTRA_CA_CERTS
              A file of further certificate authorities (PEM).

      EXIT STATUS
          0   The token has been created.
          1   The service or the network refused. The reason is on standard error, in one
              line, with the HTTP status and the message code where there is one.
          2   The command line or the environment is wrong. Nothing has been sent.

      EXAMPLES
          $ cybrid-customer-tokens create --customer "$GUID" --scope customers:read

          $ TOKEN=$(cybrid-customer-tokens create --customer "$GUID" \\
              --scope customers:read --scope accounts:read --environment production)

          $ cybrid-customer-tokens create --customer "$GUID" --scope prices:read --json
      "
    `);
  });

  test("of scopes", async () => {
    expect((await run(["scopes", "--help"])).stdout).toMatchInlineSnapshot(`
      "NAME
          cybrid-customer-tokens scopes - lists the scopes that a customer token can have

      SYNOPSIS
          cybrid-customer-tokens scopes

      DESCRIPTION
          Lists the scopes that this version knows, one a line, with a blank line between
          the resources. The service may know more; 'create' sends them as they are.

      OPTIONS
          -h, --help
              Shows this page.

      EXIT STATUS
          0   Always.

      EXAMPLES
          $ cybrid-customer-tokens scopes | grep :read
      "
    `);
  });

  test("of emulator", async () => {
    expect((await run(["emulator", "--help"])).stdout).toMatchInlineSnapshot(`
      "NAME
          cybrid-customer-tokens emulator - serves an emulated identity provider for tests

      SYNOPSIS
          cybrid-customer-tokens emulator [--host ADDRESS] [--port N] [--customer GUID]...
              [--client-id ID] [--client-secret SECRET] [--bank-token-lifetime SECONDS]
              [--customer-token-lifetime SECONDS] [--quotas] [--fault JSON]...

      DESCRIPTION
          Serves the token endpoint, the customer-tokens endpoint and the signing keys on
          127.0.0.1, for tests in any language and for curl. Tokens are real JWTs, signed
          with a key made at the start; requests are checked as the service checks them.

          Prints its address, its credentials and a curl line that mints a token to
          standard output, then each request to standard error, without tokens and secrets.
          SIGINT (Ctrl-C) and SIGTERM stop it.

      OPTIONS
          --host ADDRESS
              IP address to listen on; 0.0.0.0 for a container whose port is published.
              Default: 127.0.0.1.

          --port N
              TCP port; 0 for any that is free. Default: 4010.

          --customer GUID
              A customer that exists, by 32 characters; once for each. With 'any', every guid
              exists. Default: one, which is printed.

          --client-id ID
              Client id of the bank. Default: emulator-client.

          --client-secret SECRET
              Its secret: an invented one, since it is printed. Default: emulator-secret.

          --bank-token-lifetime SECONDS
              Lifetime of bank tokens. Default: 1800.

          --customer-token-lifetime SECONDS
              Lifetime of customer tokens. Default: 1800.

          --quotas
              Answers 429 as the service documents it: beyond 20 token requests or 200
              customer tokens in five minutes.

          --fault JSON
              Something that goes wrong, once: an object with "path", and any of "nth", "times",
              "delayMs", "reset" ("before" or "after"), "status", "headers", "body",
              "truncateBytes".

          -h, --help
              Shows this page.

      EXIT STATUS
          0   Stopped by a signal.
          1   It could not start, such as on a port that is in use.
          2   The command line is wrong.

      EXAMPLES
          $ cybrid-customer-tokens emulator --port 4010

          $ cybrid-customer-tokens emulator --customer any --bank-token-lifetime 60

          $ cybrid-customer-tokens emulator --fault '{
              "path": "/oauth/token", "status": 429, "headers": { "retry-after": "2" } }'
      "
    `);
  });
});

describe("emulator", () => {
  /** Starts it, and gives what it prints up to its last line. */
  async function start(...args: string[]) {
    const child = spawn(process.execPath, [join(folder, "dist/cli.js"), "emulator", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => (stderr += String(chunk)));
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (line.startsWith("Ctrl-C")) break;
    }
    const stdout = `${lines.join("\n")}\n`;
    const url = /http:\S+/.exec(stdout)?.[0] ?? "";
    const stop = async (signal: NodeJS.Signals) => {
      const closed = once(child, "close");
      child.kill(signal);
      const [status] = (await closed) as [number | null];
      return { status, stderr };
    };
    return { stdout, url, stop };
  }

  const hasCurl = spawnSync("curl", ["--version"]).status === 0;
  const skipped = hasCurl ? "" : " (skipped: no curl on this machine)";

  test.skipIf(!hasCurl)(
    `prints a curl line that works, logs without secrets, and stops on SIGTERM${skipped}`,
    async () => {
      const { stdout, url, stop } = await start("--port", "0", "--client-secret", "it's a canary");
      expect(stdout.replaceAll(url, "URL")).toMatchInlineSnapshot(`
      "Emulator of the Cybrid Identity API, for tests only: URL

        client id        emulator-client
        client secret    it's a canary
        customer guid    0123456789abcdef0123456789abcdef

      Mint a customer token:

        curl -sS URL/api/customer_tokens -H "Authorization: Bearer $(curl -sS URL/oauth/token -H 'Content-Type: application/json' -d '{"grant_type":"client_credentials","client_id":"emulator-client","client_secret":"it'\\''s a canary"}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')" -H 'Content-Type: application/json' -d '{"customer_guid":"0123456789abcdef0123456789abcdef","scopes":["customers:read"]}'

      Ctrl-C stops it.
      "
    `);
      const line = stdout.split("\n").find((text) => text.includes("curl")) ?? "";
      const { status, output } = await shell(`${line} -w '\n%{http_code}\n'`);
      const { status: stopped, stderr } = await stop("SIGTERM");
      const [answer = "", code] = output.split("\n");
      expect({ status, code, stopped }).toEqual({ status: 0, code: "201", stopped: 0 });
      expect(claims((JSON.parse(answer) as { access_token: string }).access_token)).toMatchObject({ sub: guid });
      expect(stderr).toBe("POST /oauth/token 200\nPOST /api/customer_tokens 201\n");
    },
  );

  test("plays faults and lifetimes, names no unknown path, and stops on SIGINT", async () => {
    const fault = JSON.stringify({ path: "/oauth/token", status: 503, times: 1 });
    const { url, stop } = await start("--port=0", "--customer=any", "--customer-token-lifetime=60", `--fault=${fault}`);
    const args = ["create", "--base-url", url, "--customer", "f".repeat(32), "--scope", "prices:read"];
    const env = { CYBRID_CLIENT_ID: "emulator-client", CYBRID_CLIENT_SECRET: "emulator-secret" };
    const { stdout, status, stderr } = await run(args, env);
    await fetch(`${url}/canary`);
    const ended = await stop("SIGINT");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const { iat, exp } = claims(stdout);
    expect(exp - iat).toBe(60);
    expect(ended).toEqual({
      status: 0,
      stderr:
        "POST /oauth/token 503\nPOST /oauth/token 200\nPOST /api/customer_tokens 201\nGET (unknown path) 404 not_found\n",
    });
  });

  test("a port in use: one sentence, exit status 1", async () => {
    const port = new URL(emulator.url).port;
    expect(await run(["emulator", "--port", port])).toEqual({
      status: 1,
      stdout: "",
      stderr: `error: port ${port} is in use: choose another with --port\n`,
    });
  });
});

function claims(jwt: string): { sub: string; iat: number; exp: number } {
  const payload = Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString();
  return JSON.parse(payload) as { sub: string; iat: number; exp: number };
}

async function bankToken(): Promise<string> {
  const response = await fetch(`${emulator.url}/oauth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ grant_type: "client_credentials", client_id: "bank", client_secret: secret }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

function shell(line: string): Promise<{ status: number | string; output: string }> {
  return new Promise((resolve) => {
    execFile("sh", ["-c", line], (error, stdout, stderr) => {
      resolve({ status: error?.code ?? 0, output: `${stdout}${stderr}` });
    });
  });
}
