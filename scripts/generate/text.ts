/** Text for people, harmless in comments and in Markdown: it cannot become HTML, an image or a link with code. */
export function prose(value: unknown): string {
  if (typeof value !== "string") return "";
  // An open fence of code would swallow the rest of the page.
  return `${value}\n${openFence(value)}`
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("*/", "*&#47;")
    .replaceAll("![", "!\\[")
    .replace(/\]\(\s*(?!https:\/\/|#)/g, "]\\(")
    .replace(/^(\s*\[[^\]]*\]):/gm, "$1\\:")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, (gap) => (/^[\n\t]+$/.test(gap) ? gap : " "))
    .trim();
}

/** The fence of code that a text leaves open; empty if there is none (CommonMark 0.31, section 4.5). */
function openFence(text: string): string {
  let open = "";
  for (const [, fence = "", rest = ""] of text.matchAll(/^ {0,3}(`{3,}|~{3,})(.*)$/gm)) {
    const isInLine = fence.startsWith("`") && rest.includes("`");
    if (open === "") open = isInLine ? "" : fence;
    else if (fence.startsWith(open) && rest.trim() === "") open = "";
  }
  return open;
}

/** Text for one cell of a Markdown table. */
export function cell(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|");
}

/** Text as code in Markdown, unchanged: its fence has more backticks than any row of them in the text. */
export function code(text: string): string {
  const shown = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
  const longest = Math.max(0, ...(shown.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return /^`|`$|^ .* $|^$/.test(shown) ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`;
}

/** JSON that is safe as TypeScript, in which U+2028 and U+2029 end lines. */
export function literal(value: unknown): string {
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
