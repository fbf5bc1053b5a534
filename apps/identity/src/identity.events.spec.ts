import { readFileSync } from 'node:fs';
import { workspacePath } from '@souk/testing';
import { emailVerified, userDeleted, userRegistered } from './identity.events.js';

const USER_ID = '0198c2f4-6a00-7c3e-9d0a-5b1f3e7a9c21';

describe('the events of an account', () => {
  it.each([
    [
      'UserRegistered',
      userRegistered({
        userId: USER_ID,
        email: 'Ada@Example.com',
        emailVerified: false,
        name: 'Ada Lovelace',
        roles: ['customer'],
        createdAt: new Date('2026-01-15T09:30:00.125Z'),
      }),
    ],
    ['EmailVerified', emailVerified(USER_ID, 'Ada@Example.com', new Date('2026-01-15T09:42:00.500Z'))],
    ['UserDeleted', userDeleted(USER_ID, new Date('2026-02-01T18:00:00.000Z'))],
  ])('are the ones that their consumers test against: %s', (name, event) => {
    const fixture = readFileSync(workspacePath(`proto/fixtures/souk.identity.v1.${name}.json`), 'utf8');
    expect(event).toMatchObject({ type: `souk.identity.v1.${name}`, aggregateId: USER_ID });
    expect(JSON.parse(JSON.stringify(event.data))).toEqual(JSON.parse(fixture));
  });
});
