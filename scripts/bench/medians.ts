/** The median time of each task. They alternate, so that other load on the machine affects all of them alike. */
export async function medians(tasks: readonly (() => unknown)[], rounds: number): Promise<number[]> {
  const all = tasks.map((task) => ({ task, times: [] as number[] }));
  for (let round = -Math.ceil(rounds / 10); round < rounds; round++)
    for (const { task, times } of round % 2 ? all : [...all].reverse()) {
      const startedAt = performance.now();
      await task();
      // The first rounds warm up.
      if (round >= 0) times.push(performance.now() - startedAt);
    }
  return all.map(({ times }) => times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN);
}
