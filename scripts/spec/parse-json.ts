import type { Json, Path } from "./json.js";

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;

/**
 * The value that JSON text has. A number that is written as an integer is a bigint. The text has to be JSON, which is not
 * checked.
 *
 * @param visit gets the path and offset of each key before it is used, with the object so far, and then those of its value
 */
export function scanJson(text: string, visit: (path: Path, offset: number, object?: Json) => void): unknown {
  const open: (Json | unknown[])[] = [];
  const path: (string | number)[] = [];
  let root: unknown;
  let isKey = false;
  for (const { 0: token, index } of text.matchAll(tokens)) {
    const holder = open.at(-1) as Json | undefined;
    const last = path.length - 1;
    if (token === "}" || token === "]") {
      open.pop();
      path.pop();
    } else if (token === ",") {
      isKey = !Array.isArray(holder);
      if (!isKey) path[last] = Number(path[last]) + 1;
    } else if (isKey) {
      path[last] = JSON.parse(token) as string;
      visit(path, index, holder);
      isKey = false;
    } else if (token !== ":") {
      visit(path, index);
      const isObject = token === "{";
      const value: unknown = isObject ? {} : token === "[" ? [] : scalar(token);
      if (holder === undefined) root = value;
      else holder[path[last] ?? ""] = value;
      if (!isObject && token !== "[") continue;
      open.push(value as Json);
      path.push(isObject ? "" : 0);
      isKey = isObject;
    }
  }
  return root;
}

function scalar(token: string): unknown {
  return /^-?\d+$/.test(token) ? BigInt(token) : (JSON.parse(token) as unknown);
}
