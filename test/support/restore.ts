import fc from "fast-check";
import { afterEach, vi } from "vitest";
import { long } from "./mode.js";

// The same values in each `npm test`; new ones in each long run. A property that fails prints its seed.
if (!long) fc.configureGlobal({ seed: 1 });

// vitest's own settings do so before each test, and the files of a worker share its process: what the last test of a file
// leaves would be there while the next file is prepared.
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});
