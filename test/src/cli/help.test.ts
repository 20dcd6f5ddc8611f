import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { run } from "../../support/command-line.js";

const guid = "0123456789abcdef0123456789abcdef";

describe("help", () => {
  test("--version", async () => {
    const { version } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
    const outcome = { status: 0, stdout: `cybrid-customer-tokens ${version}\n`, stderr: "" };
    expect(await run(["--version"])).toEqual(outcome);
    expect(await run(["-V"])).toEqual(outcome);
    expect(await run(["-v"])).toEqual(outcome);
  });

  test("of the program", async () => {
    const { status, stdout, stderr } = await run(["--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect((await run(["help"])).stdout).toBe(stdout);
    expect(stdout).toMatchInlineSnapshot(`
      "Usage: cybrid-customer-tokens COMMAND [OPTION]...

      Creates access tokens for the customers of a bank on Cybrid.

      Commands:
        create    creates an access token for a customer and prints it
        scopes    lists the scopes that this version knows, one on each line
        emulator  starts an identity provider for tests in any language

      'cybrid-customer-tokens help COMMAND' shows a command's options. 'cybrid-customer-tokens --version' shows the version.

      Exit status:
        0  done
        1  the service or the network refused, or the emulator could not start
        2  the command line or the environment is wrong; nothing was sent

      This is an independent program. It is not made or endorsed by Cybrid.
      "
    `);
  });

  test("of create", async () => {
    const { status, stdout, stderr } = await run(["create", "--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect((await run(["help", "create"])).stdout).toBe(stdout);
    expect((await run(["create", "--customer", guid, "-h"])).stdout).toBe(stdout);
    expect(stdout).toMatchInlineSnapshot(`
      "Usage: cybrid-customer-tokens create --customer GUID --scope SCOPE [OPTION]...

      Creates an access token for a customer and prints it.

      Options:
        --customer GUID        the customer, by a guid of 32 characters
        --scope SCOPE          what the token may be used for; repeat it for more scopes
        --environment NAME     sandbox or production (default: sandbox)
        --base-url URL         a server to use instead, such as an emulator
        --allow-insecure-http  allow http: to another machine, where others can read the credentials
        --timeout-ms N         milliseconds for everything, with retries (default: 10000)
        --json                 print the whole response as JSON, with the expiry as "expires_at"
        -h, --help             show this page

      Environment, since everyone on the machine can read arguments:
        CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET  the bank's client credentials
        CYBRID_ACCESS_TOKEN                     a bank token to use instead
        HTTPS_PROXY, HTTP_PROXY, NO_PROXY       a proxy, and hosts without it; needs Node 22.21 or newer
        NODE_EXTRA_CA_CERTS                     a file of further certificate authorities (PEM)

      Exit status:
        0  done
        1  the service or the network refused, or the emulator could not start
        2  the command line or the environment is wrong; nothing was sent

      Example:
        TOKEN=$(cybrid-customer-tokens create --customer "$GUID" --scope customers:read --scope accounts:read)
      "
    `);
  });

  test("of scopes", async () => {
    expect((await run(["scopes", "--help"])).stdout).toMatchInlineSnapshot(`
      "Usage: cybrid-customer-tokens scopes [OPTION]...

      Lists the scopes that this version knows, one on each line.

      Options:
        -h, --help  show this page

      Exit status:
        0  done
        1  the service or the network refused, or the emulator could not start
        2  the command line or the environment is wrong; nothing was sent

      Example:
        cybrid-customer-tokens scopes | grep :read
      "
    `);
  });

  test("of emulator", async () => {
    expect((await run(["emulator", "--help"])).stdout).toMatchInlineSnapshot(`
      "Usage: cybrid-customer-tokens emulator [OPTION]...

      Starts an identity provider for tests in any language.

      Options:
        --host ADDRESS                       IP address to listen on, or localhost; 0.0.0.0 in a container (default: 127.0.0.1)
        --port N                             TCP port; 0 for a free one (default: 4010)
        --issuer URL                         address under which others reach it, for iss, aud and discovery
        --customer GUID                      a customer that exists; repeat it for more, 'any' for all
        --client-id ID                       client id of the bank (default: emulator-client)
        --client-secret SECRET               its secret, which is printed (default: emulator-secret)
        --client JSON                        a further client: "clientId", "clientSecret", optionally "scopes"
        --bank-token-lifetime-seconds N      lifetime of bank tokens (default: 1800)
        --customer-token-lifetime-seconds N  lifetime of customer tokens (default: 1800)
        --omit-expires-in                    leave expires_in out of the token response
        --algorithm NAME                     how tokens are signed: RS256 or RS512 (default: RS256)
        --signing-key FILE                   RSA private key (PEM), so that tokens survive a restart (default: a new one)
        --quotas                             respond with 429 beyond 20 token requests or 200 customer tokens in 300 seconds
        --token-requests N                   --quotas with this many token requests
        --customer-tokens N                  --quotas with this many customer tokens
        --window-seconds N                   --quotas with a window of this many seconds
        --fault JSON                         a fault to inject: "path", and "status" or others
        -h, --help                           show this page

      A fault has "path", and any of "nth", "times", "delayMs", "reset" ("before" or "after"), "status", "headers",
      "body" and "truncateBytes".

      While it runs:
        GET    /.well-known/jwks.json   its key set
        POST   /emulator/reset          bring back the state that it started with
        POST   /emulator/revoke-tokens  revoke all bank tokens
        POST   /emulator/rotate-key     replace the signing key
        POST   /emulator/clock          set its clock forward: { "advanceMs": 60000 }
        POST   /emulator/faults         add a fault, or a list of them, as JSON
        DELETE /emulator/faults         remove the faults that are left
        GET    /emulator/requests       the requests received so far

      Exit status:
        0  done
        1  the service or the network refused, or the emulator could not start
        2  the command line or the environment is wrong; nothing was sent

      Example:
        cybrid-customer-tokens emulator --fault '{ "path": "/oauth/token", "status": 429 }'
      "
    `);
  });
});
