import { expect, test } from "vitest";
import { run } from "../../scripts/npm.js";

test("a program that does not end is killed, and named in one sentence", async () => {
  const sleeper = run(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { timeoutMs: 1 });
  await expect(sleeper).rejects.toMatchObject({ name: "UserError", message: "node did not end within 0.001 s" });
});

test("so is one whose children keep its output open", async () => {
  const program =
    "require('child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 5000)'], { stdio: 'inherit' })";
  await expect(run(process.execPath, ["-e", program], { timeoutMs: 500 })).rejects.toThrow(/^node did not end within/);
});

test("a program that fails, or says too much, rejects as Node has it", async () => {
  const fail = run(process.execPath, ["-e", "console.log('out'); process.exit(3)"]);
  await expect(fail).rejects.toMatchObject({ code: 3, stdout: "out\n" });
  const chatter = run(process.execPath, ["-e", "console.log('x'.repeat(99))"], { maxBuffer: 9 });
  await expect(chatter).rejects.toMatchObject({ code: "ERR_CHILD_PROCESS_STDIO_MAXBUFFER" });
});
