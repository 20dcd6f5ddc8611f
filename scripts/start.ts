import { spawn } from "node:child_process";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import type * as emulatorModule from "../src/emulator/emulator.js";
import type * as clientModule from "../src/index.js";
import { command, UserError } from "./command.js";
import { generate } from "./generate.js";

/**
 * The main job, from the spec to a customer token: generates, builds, and mints with the built package; on an emulator, or
 * on the sandbox where the credentials for it are set.
 */
async function main(): Promise<void> {
  const { CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET, CYBRID_CUSTOMER_GUID } = process.env;
  const missing = Object.entries({ CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET, CYBRID_CUSTOMER_GUID }).flatMap(
    ([name, value]) => (value ? [] : [name]),
  );
  if (missing.length === 1 || missing.length === 2) {
    throw new UserError(
      `for the real sandbox set ${missing.join(" and ")} as well; for the emulator, none of the three`,
    );
  }
  console.log("From the spec to the package\n");
  await generate({}, console.log);
  await build();
  // What was built just now, as other projects get it: the types are those of its source.
  const dist = (name: string): string => new URL(`../dist/${name}.js`, import.meta.url).href;
  const library = (await import(dist("index"))) as typeof clientModule;

  if (CYBRID_CLIENT_ID && CYBRID_CLIENT_SECRET && CYBRID_CUSTOMER_GUID) {
    console.log("\nA customer token from the sandbox\n");
    const auth = library.clientCredentials({ clientId: CYBRID_CLIENT_ID, clientSecret: CYBRID_CLIENT_SECRET });
    const cybrid = library.createCustomerTokensClient({ environment: "sandbox", auth });
    try {
      return await demonstrate(library, cybrid, CYBRID_CUSTOMER_GUID);
    } catch (error) {
      // What the sandbox or the network has to say is no bug of ours.
      throw error instanceof library.CustomerTokensError ? new UserError(error.message) : error;
    }
  }

  const { startEmulator } = (await import(dist("emulator"))) as typeof emulatorModule;
  const emulator = await startEmulator();
  try {
    console.log(`\nA customer token from an emulated identity provider at ${emulator.url}`);
    console.log("(set CYBRID_CLIENT_ID, CYBRID_CLIENT_SECRET and CYBRID_CUSTOMER_GUID for the real sandbox)\n");
    const auth = library.clientCredentials(emulator.client);
    const cybrid = library.createCustomerTokensClient({ baseUrl: emulator.url, auth });
    await demonstrate(library, cybrid, emulator.customerGuid, emulator.url);
    const { "/oauth/token": tokenRequests, "/api/customer_tokens": mints } = emulator.counts;
    console.log(`\nThe emulator was asked for ${tokenRequests} bank token and ${mints} customer tokens.`);
  } finally {
    await emulator.close();
  }
}

/** Builds `dist/`, and shows what the bundler has to say only where it fails. */
async function build(): Promise<void> {
  const startedAt = performance.now();
  const child = spawn("npm", ["run", "--silent", "build"], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const status = await new Promise((resolve) => child.on("close", resolve));
  if (status !== 0) throw new UserError(`the package does not build:\n${output}`);
  console.log(`✔ Build dist [${((performance.now() - startedAt) / 1000).toFixed(1)}s]`);
}

async function demonstrate(
  library: typeof clientModule,
  cybrid: clientModule.CustomerTokensClient,
  customer_guid: string,
  issuer?: string,
): Promise<void> {
  const scopes = ["customers:read", "accounts:read"] as const;
  console.log("POST /api/customer_tokens");
  show({ customer_guid, scopes });
  const { access_token } = await cybrid.createCustomerToken({ customer_guid, scopes: [...scopes] });

  let claims = decodeJwt(access_token);
  if (issuer) {
    const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(access_token, keys, { issuer, audience: issuer });
    claims = payload;
    console.log(`\n201: a JWT whose ${protectedHeader.alg} signature verifies against ${issuer}/.well-known/jwks.json`);
  } else {
    console.log("\n201: a JWT (not verified: the service documents no key set)");
  }
  const { sub, sub_type, scope, iss, aud } = claims;
  const expires = library.expiresAt(access_token)?.toISOString() ?? "at a time that it does not tell";
  show({ sub, sub_type, scope, iss, aud, expires });

  console.log("\nThe same for a customer that does not exist:");
  try {
    await cybrid.createCustomerToken({ customer_guid: "f".repeat(32), scopes: [...scopes] });
    throw new UserError("a customer that should not exist got a token");
  } catch (error) {
    if (!(error instanceof library.ApiError)) throw error;
    const { name, code, status, messageCode, errorMessage } = error;
    show({ name, code, status, messageCode, errorMessage });
  }
}

/** A value a line. */
function show(values: Record<string, unknown>): void {
  const width = Math.max(...Object.keys(values).map((name) => name.length));
  for (const [name, value] of Object.entries(values)) {
    console.log(`  ${name.padEnd(width)}  ${Array.isArray(value) ? value.join(" ") : String(value)}`);
  }
}

await command(main);
