import { sql } from './statement.js';

describe('sql', () => {
  it('refuses one name for two statements', () => {
    expect(sql('test.one', 'SELECT 1')).toEqual({ name: 'test.one', text: 'SELECT 1' });
    expect(() => sql('test.one', 'SELECT 1')).not.toThrow();
    expect(() => sql('test.one', 'SELECT 2')).toThrow('test.one');
  });

  it('refuses names that Postgres would cut', () => {
    expect(() => sql('x'.repeat(64), 'SELECT 1')).toThrow('63 bytes');
  });
});
