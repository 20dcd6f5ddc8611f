import { main } from "../../src/cli/main.js";

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs the command in this process, with this environment and no other, until it ends or `stopped` resolves. */
export async function run(
  args: readonly string[],
  env: Record<string, string> = {},
  stopped: (outcome: Outcome) => Promise<unknown> = () => Promise.resolve(),
): Promise<Outcome> {
  const outcome: Outcome = { status: 0, stdout: "", stderr: "" };
  outcome.status = await main(args, {
    env,
    stdout: (text) => (outcome.stdout += text),
    stderr: (text) => (outcome.stderr += text),
    runBehindProxy: () => undefined,
    async stopped() {
      // The command prints its banner meanwhile.
      await Promise.resolve();
      return stopped(outcome);
    },
  });
  return outcome;
}

/** The emulator's log with `TIME` in place of each line's time. */
export function withoutTimes(log: string): string {
  return log.replaceAll(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /gm, "TIME ");
}
