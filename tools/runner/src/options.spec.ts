import { parseOptions } from './options.ts';

describe('the options of npm start', () => {
  it('start everything when there are none', () => {
    expect(parseOptions([])).toEqual({
      fresh: false,
      help: false,
      infraOnly: false,
      sale: true,
      except: [],
      replicas: {},
    });
  });

  it('may leave several services out', () => {
    expect(parseOptions(['--except', 'orders', '--except', 'catalog']).except).toEqual(['orders', 'catalog']);
  });

  it('may ask for several instances', () => {
    expect(parseOptions(['--replicas', 'orders=2', '--replicas', 'catalog=3']).replicas).toEqual({
      orders: 2,
      catalog: 3,
    });
    expect(() => parseOptions(['--replicas', 'orders'])).toThrow(/such as orders=2/);
    expect(() => parseOptions(['--replicas', 'gateway=2'])).toThrow(/such as orders=2/);
    expect(() => parseOptions(['--replicas', 'orders=99'])).toThrow(/up to 10/);
  });

  it('are refused in words when unknown', () => {
    expect(() => parseOptions(['--frehs'])).toThrow(/--frehs.*--help/);
    expect(() => parseOptions(['--except', 'order'])).toThrow(/There is no service "order"/);
  });
});
