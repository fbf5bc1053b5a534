import { uuidv7, uuidv7Floor } from './uuidv7.js';

describe('uuidv7', () => {
  it('has the form of RFC 9562', () => {
    expect(uuidv7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('grows and never repeats, also within a millisecond', () => {
    const ids = Array.from({ length: 20_000 }, uuidv7);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  it('tells what was made before an instant', () => {
    const before = uuidv7();
    const floor = uuidv7Floor(new Date(Date.now() + 60_000));
    expect(before < floor).toBe(true);
    expect(uuidv7Floor(new Date(Date.now() - 60_000)) < before).toBe(true);
  });
});
