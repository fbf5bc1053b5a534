import { BUILT_IN_ROLES, PERMISSIONS } from './permissions.js';
import { ENROLMENT_AUDIENCE, toPrincipal } from './token-claims.js';

describe('what a token says of its bearer', () => {
  it('is a person with the permissions of built-in roles and those of the scope', () => {
    const payload = { sub: 'u1', email: 'a@b.co', email_verified: true, sid: 's1', scope: 'clients:write' };
    expect(toPrincipal({ ...payload, roles: ['staff', 'buyers'] })).toEqual({
      kind: 'user',
      userId: 'u1',
      email: 'a@b.co',
      emailVerified: true,
      roles: ['staff', 'buyers'],
      permissions: [...BUILT_IN_ROLES.staff, 'clients:write'],
      sessionId: 's1',
    });
  });

  it('is somebody who may set up a second factor and no more, whatever else the token says', () => {
    expect(
      toPrincipal({ aud: ENROLMENT_AUDIENCE, sub: 'u1', sid: 's1', roles: ['admin'], scope: 'keys:write' }),
    ).toEqual({
      kind: 'enrolling',
      userId: 'u1',
      sessionId: 's1',
    });
  });

  it('is a program where it names a client', () => {
    expect(toPrincipal({ sub: 'c1', client_id: 'c1', scope: 'orders:read stock:write' })).toEqual({
      kind: 'client',
      clientId: 'c1',
      permissions: ['orders:read', 'stock:write'],
    });
  });

  it('gives a program no roles, whatever the token says', () => {
    expect(toPrincipal({ sub: 'c1', client_id: 'c1', roles: ['admin'] })).toEqual({
      kind: 'client',
      clientId: 'c1',
      permissions: [],
    });
  });

  it.each([
    [{ scope: 'orders:destroy toString __proto__' }],
    [{ scope: ['orders:read'] }],
    [{ roles: 'admin' }],
    [{ roles: [['admin'], { admin: true }, 'constructor'] }],
    [{ email_verified: 'true' }],
  ])('takes nothing from what it does not understand: %j', (claims) => {
    expect(toPrincipal({ sub: 'u1', ...claims })).toMatchObject({ permissions: [], emailVerified: false });
  });

  it('is small, with every permission there is', () => {
    expect(Object.keys(PERMISSIONS).join(' ').length).toBeLessThan(300);
  });
});
