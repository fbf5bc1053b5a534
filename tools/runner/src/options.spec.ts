import { parseOptions } from './options.ts';

describe('the options of npm start', () => {
  it('start everything when there are none', () => {
    expect(parseOptions([])).toEqual({ fresh: false, help: false, infraOnly: false, sale: true, except: [] });
  });

  it('may leave several services out', () => {
    expect(parseOptions(['--except', 'orders', '--except', 'catalog']).except).toEqual(['orders', 'catalog']);
  });

  it('are refused in words when unknown', () => {
    expect(() => parseOptions(['--frehs'])).toThrow(/--frehs.*--help/);
    expect(() => parseOptions(['--except', 'order'])).toThrow(/There is no service "order"/);
  });
});
