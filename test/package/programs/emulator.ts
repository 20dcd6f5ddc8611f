import { type Emulator, type EmulatorOptions, type Fault, startEmulator } from "cybrid-customer-tokens/emulator";

const faults: Fault[] = [{ path: "/oauth/token", nth: 2, status: 429, headers: { "retry-after": "1" } }];
const options: EmulatorOptions = { faults, onRequest: ({ status, reason }) => console.log(status, reason) };

export async function usesEmulator(): Promise<number> {
  const emulator: Emulator = await startEmulator(options);
  // No method needs `this`.
  const { counts, play, reset, close } = emulator;
  play(...faults);
  reset();
  await close();
  return counts["/oauth/token"];
}

// @ts-expect-error -- no such path
void startEmulator({ faults: [{ path: "/elsewhere" }] });
