import { type Counts, createFaults, emulatorPaths } from "./faults.js";
import { createOperations, type Respond, type Routes } from "./operations.js";
import { checkEmulatorOptions } from "./options.js";
import { startServer } from "./server.js";
import { createTokens } from "./tokens.js";
import type { Emulator, EmulatorOptions, EmulatorRequest, Fault, EmulatorControls } from "./types.js";

export type * from "./types.js";

/**
 * Starts an identity provider for tests and demonstrations. It serves the token endpoint, the customer-tokens endpoint, the
 * key set and the discovery documents. Its tokens are real RSA-signed JWTs. It checks requests as the service does, and
 * responds to each mistake with the documented status, message and code.
 *
 * The service documents no code for a body that is not JSON or breaks the schema. The emulator responds with 422
 * `invalid_parameter`, and with 400 to JSON that is nested deeper than 100 levels.
 *
 * @throws {TypeError} naming the option that is wrong
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  checkEmulatorOptions(options);
  const { now: clock = Date.now, control } = options;
  let aheadMs = 0;
  const now = () => clock() + aheadMs;
  const counts = Object.fromEntries(emulatorPaths.map((path) => [path, 0])) as Counts;
  const requests: EmulatorRequest[] = [];
  let faults = createFaults(options, counts, now);
  const tokens = await createTokens(options, now);
  const { client, customerGuid, signToken, routes } = createOperations(options, tokens);

  const controls = {
    counts,
    requests,
    play: (...more: Fault[]) => faults.play(...more),
    clearFaults: () => faults.clear(),
    revokeTokens: tokens.revoke,
    rotateKey: tokens.rotate,
    advanceClock(advanceMs: number): void {
      const isTime = typeof advanceMs === "number" && !Number.isNaN(new Date(now() + advanceMs).getTime());
      if (!isTime) throw new TypeError("advanceMs: expected milliseconds, to a time that a Date can hold");
      aheadMs += advanceMs;
    },
    reset(): void {
      for (const path of emulatorPaths) counts[path] = 0;
      faults = createFaults(options, counts, now);
      tokens.reset();
      requests.length = aheadMs = 0;
    },
  };
  if (control) Object.assign(routes, controlRoutes(controls));
  const { url, close } = await startServer(options, now, routes, () => faults, requests);
  tokens.setUrl(url);
  return { url, client, customerGuid, ...controls, signToken, close, [Symbol.asyncDispose]: close };
}

/** A route that changes something, and responds without a body. */
const action = (change: (body: unknown) => void | Promise<void>): Respond => {
  return async ({ body }) => {
    await change(body);
    return { status: 204 };
  };
};

function controlRoutes(controls: EmulatorControls): Routes {
  const { counts, requests, play, advanceClock } = controls;
  return {
    "/emulator/reset": { POST: action(() => controls.reset()) },
    "/emulator/revoke-tokens": { POST: action(() => controls.revokeTokens()) },
    "/emulator/rotate-key": { POST: action(() => controls.rotateKey()) },
    "/emulator/clock": { POST: action((body) => advanceClock((Object(body) as { advanceMs: number }).advanceMs)) },
    "/emulator/faults": {
      POST: action((body) => play(...([body].flat() as Fault[]))),
      DELETE: action(() => controls.clearFaults()),
    },
    "/emulator/requests": { GET: () => ({ status: 200, body: { counts, requests } }) },
  };
}
