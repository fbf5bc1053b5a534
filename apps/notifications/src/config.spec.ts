import { loadNotificationsConfig } from './config.js';

const env = {
  DATABASE_URL: 'postgres://localhost/notifications',
  NATS_URL: 'nats://localhost',
  SOUK_SERVICE_TOKEN: 'x'.repeat(32),
};

describe('the configuration of notifications', () => {
  it('writes files where there is no mail server', () => {
    const config = loadNotificationsConfig(env);
    expect(config).toMatchObject({ port: 50056, smtpUrl: undefined, mailFrom: 'Souk <orders@souk.local>' });
  });

  it.each(['orders@shop.example', 'Our Shop <orders@shop.example>'])('sends from %s', (mailFrom) => {
    expect(loadNotificationsConfig({ ...env, MAIL_FROM: mailFrom }).mailFrom).toBe(mailFrom);
  });

  it.each([
    [{ SMTP_URL: 'mail.example.com' }, 'SMTP_URL is wrong'],
    [{ MAIL_FROM: 'Shop' }, 'MAIL_FROM is wrong'],
    [{ MAIL_FROM: 'Shop <a@b>\r\nBcc: <c@d>' }, 'MAIL_FROM is wrong'],
  ])('refuses %j', (wrong, sentence) => {
    expect(() => loadNotificationsConfig({ ...env, ...wrong })).toThrow(sentence);
  });
});
