import { type OpenApi, follow, list, object, printable } from "../spec/json.js";
import { place } from "../spec/parse.js";
import { walk } from "../spec/walk.js";

/** What a person should know of a description beside the verdict, a sentence each. `name` stands in the sentences. */
export function notes(spec: OpenApi, name: string, overlayPath: string | undefined): string[] {
  const codes = unlistedCodes(spec);
  const known = overlayPath === undefined || codes.length === 0;
  return [
    ...(known
      ? []
      : [`upstream's examples show a message_code that ${overlayPath} does not list: ${codes.join(", ")}`]),
    ...largeIntegers(spec, name),
  ];
}

/**
 * The message codes that the examples of answers show but `x-message-codes` of that answer does not list, each with its
 * status and operation. None where no answer has such a list.
 */
export function unlistedCodes(spec: OpenApi): string[] {
  const found = new Set<string>();
  let hasLists = false;
  for (const item of Object.values(object(spec["paths"])))
    for (const operation of Object.values(object(item)).map(object))
      for (const [status, given] of Object.entries(object(operation["responses"]))) {
        const response = follow(spec, given);
        const listed = list(response["x-message-codes"]);
        hasLists ||= listed.length > 0;
        const shown = Object.values(object(response["content"])).flatMap((media) => [
          object(media)["example"],
          ...Object.values(object(object(media)["examples"])).map((example) => follow(spec, example)["value"]),
        ]);
        for (const { message_code: code } of shown.map(object))
          if (typeof code === "string" && !listed.includes(code))
            found.add(`${printable(code)} (${status} of ${String(operation["operationId"])})`);
      }
  return hasLists ? [...found] : [];
}

function largeIntegers(spec: OpenApi, name: string): string[] {
  const found: string[] = [];
  walk(spec, ({ value, path }) => {
    if (typeof value !== "bigint") return;
    const digits = printable(String(value));
    found.push(
      `${place(spec, name, path)}: JavaScript has no number ${digits}; generated code gets ${Number(value)} in its place`,
    );
  });
  return found;
}
