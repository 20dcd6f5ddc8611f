import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Where Debian, Ubuntu, macOS and Windows have it; playwright-core brings none. */
const paths = [
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** What to say if there is none. */
export const noChromium = "there is no Chromium: apt-get install chromium-headless-shell";

/** Starts this machine's Chromium; `undefined` if it has none. The caller closes it. */
export async function launchChromium(): Promise<Browser | undefined> {
  const executablePath = paths.find((path) => existsSync(path));
  // Without the last three it calls home at every start.
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return executablePath === undefined
    ? undefined
    : chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-quic", ...quiet] });
}
