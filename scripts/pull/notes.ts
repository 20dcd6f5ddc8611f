import { type OpenApi, entries, follow, list, object, printable } from "../spec/json.js";
import { operationsOf } from "../spec/operations.js";
import { place } from "../spec/parse.js";
import { walk } from "../spec/walk.js";

/** What a person should know of a description beside the verdict, a sentence each. `name` stands in the sentences. */
export function notes(spec: OpenApi, name: string, overlayPath: string | undefined): string[] {
  const codes = overlayPath === undefined ? [] : unlistedCodes(spec);
  const found: string[] = [];
  if (codes.length > 0)
    found.push(`upstream's examples show a message_code that ${overlayPath} does not list: ${codes.join(", ")}`);
  walk(spec, ({ value, path }) => {
    if (typeof value !== "bigint") return;
    const words = `JavaScript has no number ${printable(String(value))}; generated code gets ${Number(value)} in its place`;
    found.push(`${place(spec, name, path)}: ${words}`);
  });
  return found;
}

/**
 * The message codes that the examples of answers show but `x-message-codes` of that answer does not list, each with its
 * status and operation. None where no answer has such a list.
 */
function unlistedCodes(spec: OpenApi): string[] {
  const found = new Set<string>();
  let hasLists = false;
  for (const { name, fields } of operationsOf(spec))
    for (const [status, given] of entries(fields["responses"])) {
      const response = follow(spec, given);
      const listed = list(response["x-message-codes"]);
      hasLists ||= listed.length > 0;
      const shown = Object.values(object(response["content"])).flatMap((media) => [
        object(media)["example"],
        ...Object.values(object(object(media)["examples"])).map((example) => follow(spec, example)["value"]),
      ]);
      for (const { message_code: code } of shown.map(object))
        if (typeof code === "string" && !listed.includes(code)) found.add(`${printable(code)} (${status} of ${name})`);
    }
  return hasLists ? [...found] : [];
}
