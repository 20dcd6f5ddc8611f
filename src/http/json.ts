const maxDepth = 100;

/**
 * Whether a text nests arrays and objects deeper than 100 levels. Such a text is never parsed: V8 14 (Node 26.10) ends the
 * whole process on some 50,000 nested objects ("Check failed: IsDescriptorArray()"), whatever catches; and a logger's stack
 * may not suffice to walk the value.
 */
export function nestsTooDeep(text: string): boolean {
  // Hardly any text has so many brackets at all, and to look for them is faster than to read the text.
  let found = 0;
  for (const bracket of "{[") {
    for (let at = text.indexOf(bracket); at >= 0 && found <= maxDepth; at = text.indexOf(bracket, at + 1)) found++;
  }
  if (found <= maxDepth) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') inString = !inString;
    else if (inString) at += char === "\\" ? 1 : 0;
    else if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** Takes the place of a text that must not be parsed. */
export const unparsedNote = "nested too deeply to be parsed";

/** Parses JSON; `undefined` for a text that is none, or nests too deeply. */
export function parseJson(text: string): unknown {
  try {
    return nestsTooDeep(text) ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** Gives a response a `json()` that does not parse a text which nests too deeply. */
export function guardJson(response: Response): Response {
  return Object.assign(response, {
    async json() {
      const text = await response.text();
      if (nestsTooDeep(text)) throw new SyntaxError(unparsedNote);
      return JSON.parse(text) as unknown;
    },
    clone: () => guardJson(Response.prototype.clone.call(response)),
  });
}
