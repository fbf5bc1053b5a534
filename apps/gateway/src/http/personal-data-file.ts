// All that is known of a person as one JSON document. Guarantees: a page is read when the one before was taken, so that its size costs
// no memory; what fails before the first page is a problem document, and what fails later breaks the document off, which then is no
// JSON.
import type { ExportMyDataResponse } from '@souk/proto/identity/v1';
import { callContext, runInContext } from '@souk/telemetry';

type ReadPage = (pageToken: string) => Promise<ExportMyDataResponse>;

/** @param read reads one page */
export async function personalDataFile(read: ReadPage): Promise<AsyncGenerator<string>> {
  const first = await read('');
  // The file outlives the deadline of the request that asked for it.
  const context = { ...callContext(), deadline: undefined };
  return document(first, (pageToken) => runInContext(context, () => read(pageToken)));
}

async function* document(first: ExportMyDataResponse, read: ReadPage): AsyncGenerator<string> {
  yield `{"exportedAt":${JSON.stringify(new Date().toISOString())},"records":[`;
  let separator = '\n';
  for (let page = first; ; page = await read(page.nextPageToken)) {
    for (const { kind, json } of page.records) {
      yield `${separator}{"kind":${JSON.stringify(kind)},"data":${json}}`;
      separator = ',\n';
    }
    if (!page.nextPageToken) break;
  }
  yield '\n]}\n';
}
