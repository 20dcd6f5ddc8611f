import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Works in a scratch folder within `folder`, from where what is made can be moved to its place beside it once it is
 * whole: a rename works within one file system only. Nothing else is left behind.
 */
export async function withScratch<T>(folder: string, work: (scratch: string) => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, ".scratch-"));
  try {
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
