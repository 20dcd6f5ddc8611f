import { startEmulator } from "cybrid-customer-tokens/emulator";

export async function usesEmulator(): Promise<string> {
  await using emulator = await startEmulator();
  return emulator.url;
}
