// How any mail is written. Pure. Guarantees: what comes from elsewhere is text in the mail, never markup and never a header.

/** What a mail says, for readers of text and of HTML. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A mail as text: paragraphs with empty lines between them. */
export function textMail(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}

/** A mail as a page; the blocks are markup already. */
export function htmlMail(subject: string, blocks: readonly string[]): string {
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>`,
    '<body style="font-family: sans-serif">',
    `<h1 style="font-size: 1.3em">${escapeHtml(subject)}</h1>`,
    ...blocks,
    '</body></html>',
    '',
  ].join('\n');
}

export function greeting(name: string): string {
  return oneLine(name) ? `Hello ${oneLine(name)},` : 'Hello,';
}

/** The same characters with nothing that ends a line or is not printed. */
export function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

/** Lines of a length that travels in a mail as it is. */
export function wrapped(paragraph: string): string {
  return paragraph.replace(/(.{1,72})(?:\s+|$)/gu, '$1\n').trimEnd();
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
