import type { DomainError } from '@souk/errors';
import { checkRegistration, type Registration } from './account-rules.js';

const ada: Registration = { email: 'Ada@Example.com', password: 'a quiet garden', name: 'Ada' };

function refusal(registration: Partial<Registration>): DomainError {
  try {
    checkRegistration({ ...ada, ...registration });
  } catch (error) {
    return error as DomainError;
  }
  throw new Error('it was accepted');
}

const wrongFields = (registration: Partial<Registration>) => refusal(registration).violations.map(({ field }) => field);

describe('the rules of an account', () => {
  it('keeps the address as it was typed, without blanks around it', () => {
    expect(checkRegistration({ ...ada, email: ' Ada@Example.com ', name: ' Ada ' })).toEqual(ada);
  });

  it.each(['a@b.co', "o'neil@example.com", 'ada+shop@mail.example.com', 'zoë@exämple.com', 'root@localhost'])(
    'takes %s for an address',
    (email) => expect(checkRegistration({ ...ada, email }).email).toBe(email),
  );

  it.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@-example.com',
    'ada@example..com',
    'ada@example.com\r\nBcc: all@example.com',
    'ada@example.com, eve@example.com',
    'Ada <ada@example.com>',
    `${'a'.repeat(65)}@example.com`,
    `ada@${'a.'.repeat(130)}com`,
  ])('does not take %j for an address', (email) => {
    expect(refusal({ email }).reason).toBe('INVALID_ARGUMENT');
    expect(wrongFields({ email })).toEqual(['email']);
  });

  it('wants a password of 10 to 128 characters', () => {
    expect(wrongFields({ password: 'x'.repeat(9) })).toEqual(['password']);
    expect(wrongFields({ password: 'x'.repeat(129) })).toEqual(['password']);
    expect(checkRegistration({ ...ada, password: '🦊'.repeat(128) }).password).toHaveLength(256);
  });

  it.each(['password123', 'PASSWORD123', 'qwertyuiop', 'ada@example.com'])(
    'refuses the password %s as too weak',
    (password) => {
      expect(refusal({ password })).toMatchObject({ kind: 'invalid', reason: 'PASSWORD_TOO_WEAK' });
      expect(wrongFields({ password })).toEqual(['password']);
    },
  );

  it('wants a name of 1 to 100 printable characters', () => {
    expect(wrongFields({ name: '   ' })).toEqual(['name']);
    expect(wrongFields({ name: 'x'.repeat(101) })).toEqual(['name']);
    expect(wrongFields({ name: 'Ada\nBcc: x' })).toEqual(['name']);
  });

  it('names every wrong field at once', () => {
    expect(wrongFields({ email: 'x', password: 'x', name: '' })).toEqual(['email', 'password', 'name']);
  });
});
