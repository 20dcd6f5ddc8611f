import { createRequire } from "node:module";
import { type Command, flagOf, helpOption, program } from "./command.js";

const exitStatus = `Exit status:
  0  done
  1  the service refused, the network failed, or the emulator could not start
  2  the command line or the environment is wrong; nothing was sent`;

export function generalHelp(commands: Readonly<Record<string, Command>>): string {
  return `Usage: ${program} COMMAND [OPTION]...

Creates access tokens for the customers of a bank on Cybrid.

Commands:
${list(Object.entries(commands).map(([name, { summary }]) => [name, summary]))}

'${program} help COMMAND' shows a command's options. '${program} --version' shows the version.

${exitStatus}

This is an independent program. It is not made or endorsed by Cybrid.
`;
}

export function commandHelp(name: string, { summary, synopsis, options, notes, example }: Command): string {
  const rows = Object.entries({ ...options, help: helpOption }).map(([field, { value, short, help }]) => {
    const term = [short && `-${short},`, `--${flagOf(field)}`, value].filter(Boolean).join(" ");
    return [term, help] as const;
  });
  return `Usage: ${[program, name, synopsis, "[OPTION]..."].filter(Boolean).join(" ")}

${summary.charAt(0).toUpperCase()}${summary.slice(1)}.

Options:
${list(rows)}
${notes === undefined ? "" : `\n${notes}\n`}
${exitStatus}

Example:
  ${example}
`;
}

/** Two columns. */
function list(rows: readonly (readonly [term: string, text: string])[]): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  return rows.map(([term, text]) => `  ${term.padEnd(width)}  ${text}`).join("\n");
}

export function version(): string {
  // By its name, the package finds its own manifest from its source and when built.
  const manifest = createRequire(import.meta.url)(`${program}/package.json`) as { version: string };
  return `${program} ${manifest.version}\n`;
}
