import { readCsv, type CsvRow } from './csv-reader.js';
import { FileFault } from './file-fault.js';

async function* inPieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(text: string, pieceBytes = 7): Promise<{ rows: CsvRow[]; fault?: FileFault }> {
  const rows: CsvRow[] = [];
  try {
    for await (const row of readCsv(inPieces(text, pieceBytes))) rows.push(row);
    return { rows };
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    return { rows, fault: error };
  }
}

const lines = ({ rows }: { rows: CsvRow[] }) => rows.map(({ line, fields }) => [line, fields.join('|')]);

test.each([
  ['LF', '\n'],
  ['CRLF', '\r\n'],
])('numbers rows by the line they begin on, cells over several lines included (%s)', async (_name, eol) => {
  const text = ['a,b', '1,"x', 'y ""z"" ü"', '2,q', '', '3,r'].join(eol);
  for (const size of [1, 2, 3, 1000]) {
    const found = await read(text, size);
    expect(lines(found)).toEqual([
      [1, 'a|b'],
      [2, `1|x${eol}y "z" ü`],
      [4, '2|q'],
      [5, ''],
      [6, '3|r'],
    ]);
  }
});

test('reads a file with a byte order mark, and one whose line ends are mixed', async () => {
  expect(lines(await read('\uFEFFa,b\n1,"2"\r\n3,4'))).toEqual([
    [1, 'a|b'],
    [2, '1|2'],
    [3, '3|4'],
  ]);
});

test('gives the rows before a quote that is never closed, and the line on which it opens', async () => {
  const { rows, fault } = await read('a,b\n1,"two\nlines"\n2,"open\n3,x\n4,y\n');
  expect(rows.map(({ line }) => line)).toEqual([1, 2]);
  expect(fault).toMatchObject({ line: 4, reason: expect.stringContaining('never closed') });
});

test('finds the opening line also where the quote opens late in a row of several lines', async () => {
  const { fault } = await read('a,b\n"x\ny ""q""\nz",1,"open\n3,x');
  expect(fault?.line).toBe(4);
});

test('blames the opening line where a later quoted cell ends the open quote by mistake', async () => {
  const { rows, fault } = await read('a,b\n1,"open\n2,"closed"\n');
  expect(rows).toHaveLength(1);
  expect(fault?.line).toBe(2);
});

test('names the line of a quote inside a cell without quotes', async () => {
  const { rows, fault } = await read('a,b\n1,2\n3,12" wide\n');
  expect(rows).toHaveLength(2);
  expect(fault).toMatchObject({ line: 3, reason: expect.stringContaining('inside a cell') });
});

test('stops at a row that is longer than memory should hold', async () => {
  const { rows, fault } = await read(`a,b\n1,2\n3,"${'x'.repeat(5_000_000)}`, 100_000);
  expect(rows).toHaveLength(2);
  expect(fault).toMatchObject({ line: 3, reason: expect.stringContaining('longer than') });
});
