import type { ExecFileException } from "node:child_process";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import type * as emulatorModule from "../src/emulator/emulator.js";
import type * as clientModule from "../src/index.js";
import { UserError, parseOptions, runIfMain, step } from "./cli.js";
import { generate } from "./generate.js";
import { npm } from "./npm.js";

const help = `Usage: npm start

The main job, from the spec to a customer token: generates, builds, and creates a token with the built package. It does so
on an emulator, or on the sandbox if all three are set:

  CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET, CYBRID_CUSTOMER_GUID

  -h, --help  show this page`;

async function main(args: string[]): Promise<void> {
  if (parseOptions(args, {}, help) === undefined) return;
  const { CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET, CYBRID_CUSTOMER_GUID } = process.env;
  const settings = Object.entries({ CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET, CYBRID_CUSTOMER_GUID });
  const missing = settings.filter(([, value]) => !value).map(([name]) => name);
  if (missing.length === 1 || missing.length === 2)
    throw new UserError(
      `for the real sandbox set ${missing.join(" and ")} as well; for the emulator, none of the three`,
    );

  console.log("From the spec to the package\n");
  await generate({}, console.log);
  await step("Build dist", build);
  // The fresh build, as other projects get it: the types are those of its source.
  const dist = (name: string): string => new URL(`../dist/${name}.js`, import.meta.url).href;
  const library = (await import(dist("index"))) as typeof clientModule;

  const { startEmulator } = (await import(dist("emulator"))) as typeof emulatorModule;
  const emulator = missing.length === 3 ? await startEmulator() : undefined;
  console.log(
    `\nA customer token from ${emulator ? `an emulated identity provider at ${emulator.url}` : "the sandbox"}`,
  );
  if (emulator) console.log(`(set ${missing.join(", ").replace(/, (?=\w+$)/, " and ")} for the real sandbox)`);
  const credentials = emulator?.client ?? {
    clientId: String(CYBRID_CLIENT_ID),
    clientSecret: String(CYBRID_CLIENT_SECRET),
  };
  const auth = library.clientCredentials(credentials);
  const cybrid = library.createCustomerTokensClient(emulator ? { baseUrl: emulator.url, auth } : { auth });
  const customer_guid = emulator?.customerGuid ?? String(CYBRID_CUSTOMER_GUID);
  try {
    const scopes: ("customers:read" | "accounts:read")[] = ["customers:read", "accounts:read"];
    console.log("\nPOST /api/customer_tokens");
    show({ customer_guid, scopes });
    const { access_token } = await cybrid.createCustomerToken({ customer_guid, scopes });
    console.log(`\n201: a JWT ${await verified(access_token, emulator?.url)}`);
    const { sub, sub_type, scope, iss, aud } = decodeJwt(access_token);
    show({ sub, sub_type, scope, iss, aud, expires: library.expiresAt(access_token)?.toISOString() });

    console.log("\nThe same for a customer that does not exist:");
    const refused: unknown = await cybrid.createCustomerToken({ customer_guid: "f".repeat(32), scopes }).then(
      () => new UserError("a customer that should not exist got a token"),
      (error: unknown) => error,
    );
    if (!(refused instanceof library.ApiError)) throw refused;
    const { name, code, status, messageCode, errorMessage } = refused;
    show({ name, code, status, messageCode, errorMessage });
    if (emulator) console.log("\nRequests that the emulator received:");
    if (emulator) show(emulator.counts);
  } catch (error) {
    // An error of the sandbox or the network is not a bug of ours.
    throw !emulator && error instanceof library.CustomerTokensError ? new UserError(error.message) : error;
  } finally {
    await emulator?.close();
  }
}

async function build(): Promise<void> {
  // The bundler's output is shown only if it fails.
  await npm(["run", "--silent", "build"]).catch((error: UserError | ExecFileException) => {
    if (error instanceof UserError) throw error;
    throw new UserError(`the package does not build:\n${error.stdout}${error.stderr}`);
  });
}

async function verified(token: string, issuer: string | undefined): Promise<string> {
  if (issuer === undefined) return "(not verified: the service documents no key set)";
  const keys = `${issuer}/.well-known/jwks.json`;
  const { protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(keys)), { issuer, audience: issuer });
  return `whose ${protectedHeader.alg} signature verifies against ${keys}`;
}

/** A value a line. */
function show(values: Record<string, unknown>): void {
  const width = Math.max(...Object.keys(values).map((name) => name.length));
  for (const [name, value] of Object.entries(values))
    console.log(`  ${name.padEnd(width)}  ${Array.isArray(value) ? value.join(" ") : String(value)}`);
}

await runIfMain(import.meta.filename, main);
