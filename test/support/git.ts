import { run } from "../../scripts/npm.js";

/** Runs git in a folder, as somebody. Returns its output. */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  return (await run("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd })).stdout.trim();
}

/** Commits all files of a folder, as the first commit if it is not a repository. */
export async function commitAll(cwd: string): Promise<void> {
  await git(cwd, "init", "--quiet", "--initial-branch=main");
  await git(cwd, "add", "--all");
  await git(cwd, "commit", "--quiet", "--message", "The project");
}
