import { Marked, type MarkedExtension, type Token, type Tokens } from "marked";

/** Text as HTML. */
export function escape(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The id of a page's heading, which other pages may have as well. */
export function anchor(page: string, heading: string): string {
  return `${page}-${heading.toLowerCase().replace(/[^\w-]+/g, "-")}`;
}

/**
 * One page of the reference as HTML. Links to other pages become links within the document. HTML in the Markdown becomes
 * text, and no link leads anywhere but to https: or within the document.
 *
 * @param pages the names of all pages
 * @param after returns HTML for the end of the section under a heading of the second level, such as an operation
 */
export function toHtml(
  page: string,
  markdown: string,
  pages: ReadonlySet<string>,
  after: (heading: string) => string = () => "",
): string {
  const marked = new Marked({ renderer: rendererOf(page, pages) });
  const sections: Token[][] = [[]];
  for (const token of marked.lexer(markdown)) {
    if (token.type === "heading" && (token as Tokens.Heading).depth === 2) sections.push([]);
    sections.at(-1)?.push(token);
  }
  const html = sections.map((tokens) => {
    const [first] = tokens;
    return marked.parser(tokens) + (first?.type === "heading" ? after((first as Tokens.Heading).text) : "");
  });
  return `<section>\n${html.join("")}</section>`;
}

function rendererOf(page: string, pages: ReadonlySet<string>): NonNullable<MarkedExtension["renderer"]> {
  return {
    html: ({ text }) => escape(text),
    image: ({ text }) => escape(text),
    heading({ tokens, depth, text }) {
      const [tag, id] = [`h${depth + 1}`, depth === 1 ? page : anchor(page, text)];
      return `<${tag} id="${escape(id)}">${this.parser.parseInline(tokens)}</${tag}>\n`;
    },
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      const [, other] = /^([\w.-]+)\.md$/.exec(href) ?? [];
      const to = href.startsWith("https://")
        ? href
        : href.startsWith("#")
          ? `#${anchor(page, href.slice(1))}`
          : undefined;
      const target = other !== undefined && pages.has(other) ? `#${other}` : to;
      return target === undefined ? text : `<a href="${escape(target)}">${text}</a>`;
    },
    code: ({ text }) =>
      `<div class="code"><button type="button">Copy</button>\n<pre><code>${escape(text)}</code></pre></div>\n`,
    table({ header, rows }) {
      const heads = header.map(({ tokens }) => `<th scope="col">${this.parser.parseInline(tokens)}</th>`);
      const body = rows.map((cells) => {
        // A narrow page shows a row as a list, with each cell's title in front of it.
        const all = cells.map(({ tokens }, column) => {
          return `<td data-title="${escape(header[column]?.text)}">${this.parser.parseInline(tokens)}</td>`;
        });
        return `<tr>${all.join("")}</tr>`;
      });
      return `<table>\n<thead><tr>${heads.join("")}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody>\n</table>\n`;
    },
  };
}
