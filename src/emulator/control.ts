import type { Respond, Routes } from "./operations.js";
import type { EmulatorControls, Fault } from "./types.js";

/** A route that changes something, and has nothing to say. */
const control = (change: (body: unknown) => void | Promise<void>): Respond => {
  return async ({ body }) => {
    await change(body);
    return { status: 204 };
  };
};

/** Paths that begin like this one control the emulator. */
export const controlPrefix = "/emulator/";

export function controlRoutes(controls: EmulatorControls): Routes {
  const { counts, requests, play, advanceClock } = controls;
  return {
    "/emulator/reset": { POST: control(() => controls.reset()) },
    "/emulator/revoke-tokens": { POST: control(() => controls.revokeTokens()) },
    "/emulator/rotate-key": { POST: control(() => controls.rotateKey()) },
    "/emulator/clock": { POST: control((body) => advanceClock((Object(body) as { advanceMs: number }).advanceMs)) },
    "/emulator/faults": {
      POST: control((body) => play(...([body].flat() as Fault[]))),
      DELETE: control(() => controls.clearFaults()),
    },
    "/emulator/requests": { GET: () => ({ status: 200, body: { counts, requests } }) },
  };
}
