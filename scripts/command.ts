/** A problem that the person at the terminal can mend: shown as one sentence, without a stack. */
export class Refusal extends Error {
  override name = "Refusal";
}

/**
 * Runs a script's main function. A {@link Refusal} is printed as its sentence alone, anything else with its stack,
 * since that is a bug of ours; either way the exit status is 1.
 */
export async function command(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Refusal ? `error: ${error.message}` : error);
    process.exitCode = 1;
  }
}
