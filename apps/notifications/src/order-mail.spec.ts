import { newsOfFixture } from '../test/news.js';
import { renderOrderMail, subjectOf, type NotificationKind } from './order-mail.js';

describe('the mail about an order', () => {
  it.each<[NotificationKind, string]>([
    ['ORDER_CONFIRMED', 'Your order S7K2-M9QX is confirmed'],
    ['ORDER_REJECTED', 'Your order S7K2-M9QX could not be accepted'],
    ['ORDER_CANCELLED', 'Your order S7K2-M9QX is cancelled'],
    ['ORDER_FULFILLED', 'Your order S7K2-M9QX is on its way'],
  ])('says for %s: %s', (kind, subject) => {
    expect(renderOrderMail(newsOfFixture(kind)).subject).toBe(subject);
  });

  it('lists what was bought, for how much, and where it goes', () => {
    expect(renderOrderMail(newsOfFixture('ORDER_CONFIRMED')).text).toBe(`Your order S7K2-M9QX is confirmed

Hello Ada Lovelace,

thank you for your order. The goods are put aside for you, and we will
write again when they are on their way.

  2 x Silver necklace (NECKLACE-SILVER)  $42.99 each, $85.98
  1 x Brass lamp (LAMP-BRASS)  $129.00
  Total: $214.98

Delivery to:
  Ada Lovelace
  12 St James Square
  SW1Y 4JH London
  GB
`);
  });

  it('says the same in HTML', () => {
    const { html } = renderOrderMail(newsOfFixture('ORDER_CONFIRMED'));
    for (const said of ['2 &times;', 'Silver necklace', '$42.99', '$85.98', '$214.98', '12 St James Square']) {
      expect(html).toContain(said);
    }
  });

  it('says why an order was refused and how to follow a delivery', () => {
    expect(renderOrderMail(newsOfFixture('ORDER_REJECTED')).text).toContain('Not enough in stock: LAMP-BRASS');
    expect(renderOrderMail({ ...newsOfFixture('ORDER_FULFILLED'), tracking: 'DHL 42' }).text).toContain(
      'Tracking: DHL 42',
    );
  });

  it('takes what others wrote for text and never for markup', () => {
    const evil = '<script>alert("1")</script>';
    const news = newsOfFixture('ORDER_REJECTED');
    const [line] = news.order.lines;
    const order = {
      ...news.order,
      lines: [{ ...line!, title: evil, sku: evil }],
      shippingAddress: { ...news.order.shippingAddress!, name: evil, line1: evil, country: evil },
      rejection: { ...news.order.rejection!, message: evil },
    };
    const { html } = renderOrderMail({ ...news, order, tracking: evil });
    expect(html).not.toContain('<script');
    expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;');
  });

  it('keeps the subject on one line', () => {
    expect(subjectOf('ORDER_CONFIRMED', 'X\r\nBcc: all@example.com\u2028\u0000Y')).toBe(
      'Your order X Bcc: all@example.com Y is confirmed',
    );
  });

  it('writes amounts in the digits of their currency', () => {
    const yen = { amount: 1999n, currency: 'JPY' };
    expect(renderOrderMail(newsOfFixture('ORDER_CONFIRMED', { total: yen })).text).toContain('Total: ¥1,999');
  });
});
