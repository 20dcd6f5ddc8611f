/** The median time of each work. They alternate one by one, so that whatever else the machine does hits all alike. */
export async function medians(works: readonly (() => unknown)[], rounds: number): Promise<number[]> {
  const all = works.map((work) => ({ work, times: [] as number[] }));
  for (let round = -Math.ceil(rounds / 10); round < rounds; round++)
    for (const { work, times } of round % 2 ? all : [...all].reverse()) {
      const startedAt = performance.now();
      await work();
      // The first rounds warm up.
      if (round >= 0) times.push(performance.now() - startedAt);
    }
  return all.map(({ times }) => times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN);
}
