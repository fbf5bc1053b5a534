import { atLeast, natsConfig } from './nats.ts';

describe('the configuration of NATS', () => {
  const settings = { storeDir: '/data/my "own" nats', port: 42229, pidFile: '/data/nats.pid' };

  it('listens on the loopback interface only and keeps JetStream in its folder', () => {
    const config = natsConfig({ ...settings, version: '2.12.1' });
    expect(config).toContain('host: "127.0.0.1"');
    expect(config).toContain('store_dir: "/data/my \\"own\\" nats"');
    expect(config).not.toContain('http');
  });

  it('asks for a sync each second only of servers that know the setting', () => {
    expect(natsConfig({ ...settings, version: '2.10.0' })).toContain('sync_interval');
    expect(natsConfig({ ...settings, version: '2.9.10' })).not.toContain('sync_interval');
  });
});

describe('atLeast', () => {
  it.each([
    ['2.9.10', true],
    ['2.10.1', true],
    ['3.0.0', true],
    ['2.8.4', false],
    ['1.12.0', false],
  ])('says of version %s against 2.9: %s', (version, expected) => {
    expect(atLeast(version, [2, 9])).toBe(expected);
  });
});
