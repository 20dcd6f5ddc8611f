import { afterEach, vi } from "vitest";

// vitest's own settings do so before each test, and the files of a worker share its process: what the last test of a file
// leaves would be there while the next file is prepared.
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});
