import { planPorts, takenPort } from './port-plan.ts';

describe('the ports of a local Souk', () => {
  it('are the standard ones where the environment says nothing', () => {
    expect(planPorts({})).toMatchObject({
      gateway: 3000,
      orders: 15054,
      postgres: 15432,
      nats: 14222,
      'sandbox-psp': 12111,
    });
  });

  it('all move by the same distance as PORT', () => {
    expect(planPorts({ PORT: '3100' })).toMatchObject({ gateway: 3100, orders: 15154, postgres: 15532, nats: 14322 });
  });

  it('stay where a variable of their own puts them', () => {
    const env = { PORT: '3100', SOUK_ORDERS_PORT: '6000', SOUK_POSTGRES_PORT: '' };
    expect(planPorts(env)).toMatchObject({ orders: 6000, postgres: 15532 });
  });

  it.each([80, 1024, 8080, 13000, 40000, 65535])('are distinct and valid for PORT=%d', (port) => {
    const ports = Object.values(planPorts({ PORT: String(port) }));
    expect(new Set(ports).size).toBe(ports.length);
    expect(ports.every((each) => each >= 1 && each <= 65535)).toBe(true);
  });

  it.each([3000, 8080, 60000])('leave to outgoing connections what the system gives them for PORT=%d', (port) => {
    const { gateway: _given, ...moved } = planPorts({ PORT: String(port) });
    expect(Object.values(moved).filter((each) => each >= 32768)).toEqual([]);
  });

  it.each(['0', '-1', '65536', '3000.5', 'http'])('are refused in words for PORT=%s', (value) => {
    expect(() => planPorts({ PORT: value })).toThrow(`PORT=${value} is no port`);
  });

  it('are refused where two processes would share one', () => {
    expect(() => planPorts({ SOUK_NATS_PORT: '3000' })).toThrow(/set PORT or SOUK_NATS_PORT/);
  });

  it('name the variable that moves a port which is taken', () => {
    expect(takenPort('postgres', 15432)).toContain('SOUK_POSTGRES_PORT');
    expect(takenPort('gateway', 3000)).toContain('set PORT');
  });
});
