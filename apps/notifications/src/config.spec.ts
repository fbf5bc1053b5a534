import { notificationsConfig } from './config.js';

const env = {
  DATABASE_URL: 'postgres://localhost/notifications',
  NATS_URL: 'nats://localhost',
  GRPC_PORT: '50056',
  SOUK_SERVICE_TOKEN: 'x'.repeat(32),
  SOUK_IDENTITY_ADDRESS: 'localhost:50051',
};

describe('the configuration of notifications', () => {
  it('writes files where there is no mail server', () => {
    const config = notificationsConfig(env);
    expect(config.SMTP_URL).toBeUndefined();
    expect(config).toMatchObject({ MAIL_DIR: '.souk/mail', MAIL_FROM: 'Souk <orders@souk.local>' });
  });

  it.each(['orders@shop.example', 'Our Shop <orders@shop.example>'])('sends from %s', (mailFrom) => {
    expect(notificationsConfig({ ...env, MAIL_FROM: mailFrom }).MAIL_FROM).toBe(mailFrom);
  });

  it.each([
    [{ SMTP_URL: 'mail.example.com' }, 'SMTP_URL is wrong'],
    [{ MAIL_FROM: 'Shop' }, 'MAIL_FROM is wrong'],
    [{ MAIL_FROM: 'Shop <a@b>\r\nBcc: <c@d>' }, 'MAIL_FROM is wrong'],
  ])('refuses %j', (wrong, sentence) => {
    expect(() => notificationsConfig({ ...env, ...wrong })).toThrow(sentence);
  });
});
