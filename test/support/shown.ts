import { inspect } from "node:util";

/** Everything that a log, a debugger or a crash report could show of a value and its causes. */
export function shown(value: unknown): string {
  const views: string[] = [];
  for (let link = value; link !== undefined && link !== null; link = (link as { cause?: unknown }).cause) {
    const { message, stack, headers } = link as Partial<Error> & { headers?: Headers };
    views.push(String(message), String(stack), String(link), JSON.stringify(link) ?? "");
    views.push(inspect(link, { depth: 20, showHidden: true, getters: true }));
    if (headers instanceof Headers) views.push(JSON.stringify([...headers]));
  }
  return views.join("\n");
}
