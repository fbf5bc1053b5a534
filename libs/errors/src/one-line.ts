/** What went wrong, as one line of at most 500 characters: for a column or a header. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 500) || 'unknown';
}
