import { Marked } from "marked";

/** HTML that is safe to put into a page as it stands. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Html | string | number | undefined | false | readonly Content[];

/** Builds HTML. Everything put in is escaped, but for what is {@link Html} already. */
export function html(strings: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(
    strings.map((string, index) => string + (index < contents.length ? fill(contents[index]) : "")).join(""),
  );
}

function fill(content: Content): string {
  if (content instanceof Html) return content.text;
  if (Array.isArray(content)) return content.map(fill).join("");
  if (content === undefined || content === false) return "";
  return String(content).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

// The description comes from elsewhere: no raw HTML, no image, no address that a browser would run.
const commonMark = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => html`${text}`.text,
    image: ({ text }) => html`${text}`.text,
    link({ href, tokens }) {
      const text = new Html(this.parser.parseInline(tokens));
      return /^(?:https:|#)/.test(href) ? html`<a href="${href}">${text}</a>`.text : text.text;
    },
  },
});

/** Turns the Markdown of a description into HTML. */
export function markdown(text: string | undefined): Html {
  return new Html(text === undefined ? "" : commonMark.parse(text, { async: false }));
}

/** As {@link markdown}, for one line within a paragraph or a cell. */
export function inlineMarkdown(text: string | undefined): Html {
  return new Html(text === undefined ? "" : commonMark.parseInline(text, { async: false }));
}

const highlights = {
  ts: /(?<comment>\/\/.*)|(?<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<keyword>\b(?:import|from|export|const|await|async|new|return)\b)/g,
  sh: /(?<comment>^#.*)|(?<string>"\$\w+"|'[^']*')|(?<keyword>^curl\b|(?<=\s)--?[a-z-]+)/gm,
  json: /(?<keyword>"(?:[^"\\]|\\.)*"(?=:))|(?<string>"(?:[^"\\]|\\.)*")/g,
} as const;

/** Code with its comments, strings and keywords set apart. */
export function highlight(code: string, language: keyof typeof highlights): Html {
  const parts: Content[] = [];
  let end = 0;
  for (const match of code.matchAll(highlights[language])) {
    const kind = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined)?.[0];
    parts.push(code.slice(end, match.index), html`<span class="${kind}">${match[0]}</span>`);
    end = match.index + match[0].length;
  }
  return html`${[...parts, code.slice(end)]}`;
}
