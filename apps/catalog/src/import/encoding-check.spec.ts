import { EncodingCheck } from './encoding-check.js';

function check(bytes: Uint8Array, pieceBytes = bytes.length): string | undefined {
  const encoding = new EncodingCheck();
  for (let at = 0; at < bytes.length; at += pieceBytes) encoding.add(bytes.subarray(at, at + pieceBytes));
  return encoding.end();
}

test('finds nothing wrong with UTF-8, wherever it is cut', () => {
  const text = Buffer.from('\uFEFFHandle,Title\nçay,Çay – 茶 🫖\n');
  for (const size of [1, 2, 3, 5, 100]) expect(check(text, size)).toBeUndefined();
});

test('names the line of bytes in another encoding, wherever it is cut', () => {
  const latin1 = Buffer.from('Handle,Title\nçay,Tea\ncafe,caf\u00e9\nb,c', 'latin1');
  const good = Buffer.from('Handle,Title\nçay,Tea\n');
  expect(check(latin1)).toContain('line 2');
  const mixed = Buffer.concat([good, Buffer.from('cafe,caf\u00e9\nb,c\n', 'latin1')]);
  for (const size of [1, 5, 16, 100]) expect(check(mixed, size)).toContain('line 3');
});

test('refuses a letter that is cut off by the end of the file', () => {
  expect(check(Buffer.from('a,é').subarray(0, 3))).toContain('line 1');
});

test('tells UTF-16 by its mark and by its zero bytes', () => {
  const text = Buffer.from('Handle,Title\nlamp,Lamp\n', 'utf16le');
  expect(check(Buffer.concat([Buffer.from([0xff, 0xfe]), text]))).toContain('UTF-16');
  expect(check(text)).toContain('UTF-16');
});

test('lets single zero bytes pass', () => {
  expect(check(Buffer.from('Handle,Title\nlamp,La\0mp\n'))).toBeUndefined();
});
