import type { ConfigError } from './load-config.js';
import { proofOf, requireProtection } from './proof.js';

function sentences(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    return (error as ConfigError).sentences;
  }
  return [];
}

describe('how a service proves its name', () => {
  const files = { SOUK_TLS_CA_FILE: 'ca', SOUK_TLS_CERT_FILE: 'cert', SOUK_TLS_KEY_FILE: 'key' };

  it('is the secret of all services unless TLS is on', () => {
    expect(proofOf({ ...files, SOUK_SERVICE_TOKEN: 'secret' })).toEqual({ serviceToken: 'secret' });
    expect(sentences(() => proofOf({ ...files, SOUK_TLS: 'off' }))).toEqual(['SOUK_SERVICE_TOKEN is not set.']);
  });

  it('is the certificate where TLS is on, and nothing else', () => {
    expect(proofOf({ ...files, SOUK_TLS: 'on', SOUK_SERVICE_TOKEN: 'secret' })).toEqual({
      tls: { caFile: 'ca', certFile: 'cert', keyFile: 'key' },
    });
    expect(sentences(() => proofOf({ SOUK_TLS: 'on', SOUK_TLS_CERT_FILE: 'cert' }))).toEqual([
      'SOUK_TLS_CA_FILE is not set.',
      'SOUK_TLS_KEY_FILE is not set.',
    ]);
  });
});

describe('listening without TLS', () => {
  it.each(['127.0.0.1', '127.0.1.1', '::1', 'localhost'])('is allowed on %s', (host) => {
    expect(sentences(() => requireProtection(host, {}))).toEqual([]);
  });

  it.each(['0.0.0.0', '::', '10.0.0.7', 'orders.souk.svc', '127.evil.example'])('is refused on %s', (host) => {
    expect(sentences(() => requireProtection(host, {}))[0]).toMatch(/^GRPC_HOST is wrong: without TLS/);
    expect(sentences(() => requireProtection(host, { SOUK_TLS_OFF_IS_SAFE: true }))).toEqual([]);
    expect(sentences(() => requireProtection(host, { SOUK_TLS: 'on' }))).toEqual([]);
  });
});
