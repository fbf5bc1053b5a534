import { isShared, sharingOf } from './sharing.ts';

/** A minute in which the gateway sends so much to each replica of orders in each second. */
function minute(sends: (second: number) => readonly [number, number]) {
  let sent = [0, 0];
  return Array.from({ length: 61 }, (_, second) => {
    const more = second === 0 ? [0, 0] : sends(second);
    sent = sent.map((bytes, replica) => bytes + (more[replica] ?? 0));
    return { 'gateway->orders-1': sent[0] ?? 0, 'gateway->orders-2': sent[1] ?? 0 };
  });
}

it('says that replicas share what a caller gives to both', () => {
  const [sharing, ...others] = sharingOf(minute(() => [5_000, 4_000]));
  expect(others).toEqual([]);
  expect(sharing).toEqual({
    ...{ caller: 'gateway', service: 'orders', sent: [300_000, 240_000], busy: 60, shared: 60 },
  });
  expect(isShared(sharing!)).toBe(true);
});

it('notices a caller that keeps to one replica for as long as that lives', () => {
  const [sharing] = sharingOf(minute((second) => (second < 30 ? [5_000, 17] : [17, 5_000])));
  expect(sharing).toMatchObject({ busy: 60, shared: 1 });
  expect(isShared(sharing!)).toBe(false);
});

it('says that replicas share what a caller gives to one after the other', () => {
  const [sharing] = sharingOf(minute((second) => (second % 2 === 0 ? [5_000, 0] : [0, 5_000])));
  expect(sharing).toMatchObject({ busy: 60, shared: 59 });
});

it('does not judge a caller that has hardly anything to do', () => {
  expect(sharingOf(minute((second) => [second < 10 ? 5_000 : 0, 0]))).toEqual([]);
});
