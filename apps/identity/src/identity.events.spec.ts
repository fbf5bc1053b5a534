import { readFileSync } from 'node:fs';
import { userRegistered } from './identity.events.js';

const fixture: unknown = JSON.parse(
  readFileSync(`${__dirname}/../../../proto/fixtures/souk.identity.v1.UserRegistered.json`, 'utf8'),
);

describe('the event of a registration', () => {
  it('is the one that its consumers test against', () => {
    const event = userRegistered({
      userId: '0198c2f4-6a00-7c3e-9d0a-5b1f3e7a9c21',
      email: 'Ada@Example.com',
      name: 'Ada Lovelace',
      roles: ['customer'],
      createdAt: new Date('2026-01-15T09:30:00.125Z'),
    });
    expect(event).toMatchObject({
      type: 'souk.identity.v1.UserRegistered',
      aggregateId: '0198c2f4-6a00-7c3e-9d0a-5b1f3e7a9c21',
    });
    expect(JSON.parse(JSON.stringify(event.data))).toEqual(fixture);
  });
});
