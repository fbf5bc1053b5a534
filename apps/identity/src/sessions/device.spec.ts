import { tidyDevice } from './device.js';

const at = (address: string) => ({ address, userAgent: '' });

describe('a device', () => {
  it('is kept short and printable', () => {
    const device = tidyDevice({ address: '203.0.113.7', userAgent: ` Souk\r\n\u0000Shop/1.0 ${'x'.repeat(400)}` });
    expect(device.address).toBe('203.0.113.7');
    expect(device.userAgent).toMatch(/^Souk Shop\/1\.0 x+$/);
    expect(device.userAgent).toHaveLength(300);
  });

  it.each(['', 'localhost', '203.0.113.7, 10.0.0.1', "' OR 1=1", '999.1.1.1'])('has no address in %j', (address) => {
    expect(tidyDevice(at(address)).address).toBe('');
  });
});
