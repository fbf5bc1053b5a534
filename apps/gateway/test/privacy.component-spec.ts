import { randomUUID } from 'node:crypto';
import { DomainError } from '@souk/errors';
import type { Erasure } from '@souk/proto/identity/v1';
import { runGateway, type RunningGateway } from './running-gateway.js';

const ID = randomUUID();
const TOKEN = 'T'.repeat(43);

let gateway: RunningGateway;

beforeAll(async () => {
  gateway = await runGateway();
});
afterAll(() => gateway.stop());

function anErasure(change: Partial<Erasure> = {}): Erasure {
  return {
    erasureId: ID,
    state: 'STATE_ERASING',
    pending: 1,
    requestTime: new Date('2026-03-01T10:00:00.000Z'),
    completeTime: undefined,
    certificate: '',
    certificateKey: '',
    error: '',
    ...change,
  };
}

describe('the export', () => {
  it('is one JSON file over all pages', async () => {
    gateway.services.answers.privacyRequests.exportMyData = ({ pageToken }) =>
      pageToken
        ? { records: [{ kind: 'order', json: '{"number":"A"}' }], nextPageToken: '' }
        : { records: [{ kind: 'account', json: '{"name":"Ada"}' }], nextPageToken: 'orders:' };
    const response = await gateway.fetch('/v1/me/export', { token: gateway.customer });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toContain('personal-data.json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({
      records: [
        { kind: 'account', data: { name: 'Ada' } },
        { kind: 'order', data: { number: 'A' } },
      ],
    });
  });

  it('is a problem where it fails at once, and breaks off where it fails later', async () => {
    const away = () => {
      throw new DomainError({ kind: 'unavailable', reason: 'AWAY', message: 'It is away.' });
    };
    gateway.services.answers.privacyRequests.exportMyData = away;
    expect((await gateway.fetch('/v1/me/export', { token: gateway.customer })).status).toBe(503);

    gateway.services.answers.privacyRequests.exportMyData = ({ pageToken }) =>
      pageToken ? away() : { records: [], nextPageToken: 'mails' };
    const broken = gateway.fetch('/v1/me/export', { token: gateway.customer }).then((response) => response.json());
    await expect(broken).rejects.toThrow();
  });

  it('is made of others by who has the permission, by account or address and not by both', async () => {
    gateway.services.answers.privacyRequests.exportDataOfPerson = ({ email }) => ({
      records: [{ kind: 'order', json: JSON.stringify({ email }) }],
      nextPageToken: '',
    });
    const admin = await gateway.identity.tokenFor({ userId: randomUUID(), roles: ['admin'] });
    const ask = (json: object, token = admin) =>
      gateway.fetch('/v1/personal-data/exports', { method: 'POST', token, json });
    const found = await ask({ email: 'ada@example.com' });
    expect(await found.json()).toMatchObject({ records: [{ data: { email: 'ada@example.com' } }] });
    expect((await ask({})).status).toBe(400);
    expect((await ask({ email: 'ada@example.com', userId: ID })).status).toBe(400);
    expect((await ask({ email: 'ada@example.com' }, gateway.staff)).status).toBe(403);
  });
});

describe('the erasure', () => {
  it('is accepted with the password, and followed by its token', async () => {
    gateway.services.answers.account.deleteAccount = ({ password }) => {
      if (password !== 'right') throw new DomainError({ kind: 'forbidden', reason: 'WRONG_PASSWORD', message: 'No.' });
      return { erasureId: ID, accessToken: TOKEN };
    };
    gateway.services.answers.privacyRequests.getErasure = ({ erasureId, accessToken }) => {
      if (accessToken !== TOKEN)
        throw new DomainError({ kind: 'not_found', reason: 'ERASURE_NOT_FOUND', message: 'No.' });
      return { erasure: anErasure({ erasureId }) };
    };
    const ask = (password: string) =>
      gateway.fetch('/v1/me/erasure', { method: 'POST', token: gateway.customer, json: { password } });
    expect((await ask('wrong')).status).toBe(403);
    const accepted = await ask('right');
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toBe(`/v1/erasures/${ID}`);
    expect(await accepted.json()).toMatchObject({ id: ID, state: 'ERASING', accessToken: TOKEN });
    expect((await gateway.fetch(`/v1/erasures/${ID}`)).status).toBe(404);
    const read = await gateway.fetch(`/v1/erasures/${ID}`, { token: TOKEN });
    expect(await read.json()).toMatchObject({ id: ID, pending: 1 });
  });

  it('shows its certificate once it is done', async () => {
    gateway.services.answers.privacyRequests.getErasure = () => ({
      erasure: anErasure({
        state: 'STATE_DONE',
        completeTime: new Date('2026-03-01T10:30:00.000Z'),
        certificate: 'a.b.c',
        certificateKey: '{"kty":"OKP"}',
      }),
    });
    const read = await gateway.fetch(`/v1/erasures/${ID}?accessToken=${TOKEN}`);
    expect(await read.json()).toMatchObject({ state: 'DONE', certificate: 'a.b.c', certificateKey: { kty: 'OKP' } });
  });
});
