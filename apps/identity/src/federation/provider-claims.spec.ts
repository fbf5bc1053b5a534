import { nameOf, rolesOf, vouchedEmail } from './provider-claims.js';

const roles = new Map([
  ['shop-staff', 'staff'],
  ['shop-admins', 'admin'],
  ['night', 'staff'],
]);

describe('the claims of a provider', () => {
  it.each<[string, unknown, string[]]>([
    ['groups', ['shop-staff', 'others', 'shop-admins'], ['staff', 'admin']],
    ['groups', ['shop-staff', 'night'], ['staff']],
    ['groups', 'shop-admins', ['admin']],
    ['groups', ['Shop-Staff', 'staff', 'admin', 7, null, { x: 1 }], []],
    ['groups', undefined, []],
    ['groups', { 'shop-staff': true }, []],
  ])('%s: %j are the roles %j', (rolesClaim, groups, expected) => {
    expect(rolesOf({ groups }, { rolesClaim, roles })).toEqual(expected);
  });

  it('may lie deeper, or have a name with dots', () => {
    const deep = { realm_access: { roles: ['shop-staff'] }, 'https://shop.example/groups': ['shop-admins'] };
    expect(rolesOf(deep, { rolesClaim: 'realm_access.roles', roles })).toEqual(['staff']);
    expect(rolesOf(deep, { rolesClaim: 'https://shop.example/groups', roles })).toEqual(['admin']);
    expect(rolesOf(deep, { rolesClaim: 'realm_access.roles.length.x', roles })).toEqual([]);
  });

  const emailDomains = ['shop.example'];
  it.each<[object, string | undefined]>([
    [{ email: 'ada@shop.example', email_verified: true }, 'ada@shop.example'],
    [{ email: 'Ada@SHOP.example', email_verified: true }, 'Ada@shop.example'],
    [{ email: 'ada@shop.example', email_verified: 'true' }, undefined],
    [{ email: 'ada@shop.example', email_verified: false }, undefined],
    [{ email: 'ada@shop.example' }, undefined],
    [{ email: 'ada@other.example', email_verified: true }, undefined],
    [{ email: 'ada@evil-shop.example', email_verified: true }, undefined],
    [{ email: 'ada@shop.example@other.example', email_verified: true }, undefined],
    [{ email: ['ada@shop.example'], email_verified: true }, undefined],
  ])('%j vouch for %j', (claims, expected) => {
    expect(vouchedEmail({ ...claims }, { emailDomains })?.toLowerCase()).toBe(expected?.toLowerCase());
  });

  it('vouch for nobody where no domain is named', () => {
    expect(vouchedEmail({ email: 'ada@shop.example', email_verified: true }, { emailDomains: [] })).toBeUndefined();
  });

  it('name the person, or the address does', () => {
    expect(nameOf({ name: ' Ada\nLovelace ' }, 'ada@shop.example')).toBe('Ada Lovelace');
    expect(nameOf({ name: 7 }, 'ada@shop.example')).toBe('ada@shop.example');
    expect([...nameOf({ name: 'x'.repeat(500) }, '')]).toHaveLength(100);
  });
});
