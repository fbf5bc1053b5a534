// How words that a buyer typed become a query: as web search engines do ("quoted phrase", or, -without), words stemmed
// in English, and the last word taken as the beginning of one, since the buyer may still be typing.

/** A tsquery of $1 (the words), $2 (whether the last word is a beginning) and $3 (whether unstemmed words count too). */
export const TSQUERY = `(${withPrefix('english')} || CASE WHEN $3 THEN ${withPrefix('simple')} ELSE ''::tsquery END)`;

// A tsquery's text ends with its last word in quotes; marking that one as a prefix is all there is to do.
function withPrefix(dictionary: string): string {
  const query = `websearch_to_tsquery('${dictionary}', $1)`;
  return `CASE WHEN $2 AND right(${query}::text, 1) = '''' THEN (${query}::text || ':*')::tsquery ELSE ${query} END`;
}

export interface SearchTerms {
  text: string;
  prefix: boolean;
  unstemmed: boolean;
}

export function searchTerms(query: string): SearchTerms {
  const text = query.replaceAll('\0', ' ').trim();
  const lastWord = text.split(/\s+/).at(-1) ?? '';
  const openQuotes = (text.match(/"/g)?.length ?? 0) % 2 === 1;
  return {
    text,
    prefix: /[\p{L}\p{N}]$/u.test(lastWord) && !lastWord.startsWith('-') && !openQuotes,
    // "-rings" must exclude "ring" too, which only the stemmed words do.
    unstemmed: !/(^|\s)-\S/.test(text),
  };
}
