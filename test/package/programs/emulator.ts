import { type Emulator, type Fault, startEmulator } from "cybrid-customer-tokens/emulator";

const faults: Fault[] = [{ path: "/oauth/token", nth: 2, status: 429, headers: { "retry-after": "1" } }];

export async function usesEmulator(): Promise<string> {
  await using emulator: Emulator = await startEmulator({ faults });
  return emulator.url;
}

// @ts-expect-error -- no such path
void startEmulator({ faults: [{ path: "/elsewhere" }] });
