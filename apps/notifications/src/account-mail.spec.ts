import { accountSubject, hasLink, renderAccountMail, type AccountMailKind, type AccountNews } from './account-mail.js';

const KINDS: AccountMailKind[] = [
  'VERIFY_EMAIL',
  'ACCOUNT_EXISTS',
  'RESET_PASSWORD',
  'PASSWORD_CHANGED',
  'CONFIRM_EMAIL',
  'EMAIL_CHANGED',
  'SESSION_ENDED',
  'SECOND_FACTOR_ADDED',
  'SECOND_FACTOR_REMOVED',
  'RECOVERY_CODE_USED',
  'ACCOUNT_DELETED',
];
const news = (changes: Partial<AccountNews> = {}): AccountNews => ({
  kind: 'RESET_PASSWORD',
  name: 'Ada',
  link: 'https://shop.example/reset#abc',
  linkMinutes: 60,
  ...changes,
});

describe('the mail about an account', () => {
  it('says what to do and for how long', () => {
    expect(renderAccountMail(news()).text).toBe(`Choose a new password

Hello Ada,

you asked for a new password. Open this link to choose one.

https://shop.example/reset#abc

The link works for 1 hour.

If you did not ask, do nothing: your password stays as it is.
`);
  });

  it('says the same in HTML', () => {
    const { html } = renderAccountMail(news());
    for (const said of ['Hello Ada,', 'href="https://shop.example/reset#abc"', 'for 1 hour', 'do nothing']) {
      expect(html).toContain(said);
    }
  });

  it.each(KINDS)('%s has a subject of its own and a link where it needs one', (kind) => {
    const { subject, text, html } = renderAccountMail(news({ kind }));
    expect(subject).toBe(accountSubject(kind));
    expect(new Set(KINDS.map(accountSubject)).size).toBe(KINDS.length);
    expect([text, html].map((said) => said.includes('#abc'))).toEqual([hasLink(kind), hasLink(kind)]);
  });

  it('takes a name for text and never for markup', () => {
    const { text, html } = renderAccountMail(news({ name: '<b>Ada\r\nBcc: x</b>' }));
    expect(text).toContain('Hello <b>Ada Bcc: x</b>,');
    expect(html).toContain('Hello &lt;b&gt;Ada Bcc: x&lt;/b&gt;,');
  });

  it.each([
    [30, '30 minutes'],
    [60, '1 hour'],
    [1_440, '24 hours'],
  ])('writes %d minutes as %s', (linkMinutes, written) => {
    expect(renderAccountMail(news({ linkMinutes })).text).toContain(`works for ${written}.`);
  });
});
