#!/usr/bin/env node
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { main } from "./main.js";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that closes the pipe early, such as head, is not a failure.
    if (error.code !== "EPIPE") throw error;
    if (stream === process.stdout) process.exit();
  });
}

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stopped: () => Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]),
  runBehindProxy(env) {
    if (!process.allowedNodeEnvironmentFlags.has("--use-env-proxy")) return undefined;
    // Node 22 warns that this is experimental.
    const args = [...process.execArgv, "--disable-warning=UNDICI-EHPA", ...process.argv.slice(1)];
    return spawnSync(process.execPath, args, { env, stdio: "inherit" }).status ?? 1;
  },
});
