import { judge } from './smtp-mailer.js';

describe('what trouble with a mail server says of the mail', () => {
  it.each([
    ['nobody listens', { code: 'ESOCKET' }, false, 'retry'],
    ['the connection ends before the content', { code: 'ECONNECTION' }, false, 'retry'],
    ['the server is busy', { code: 'EPROTOCOL', responseCode: 421 }, false, 'retry'],
    ['the server does not know us', { code: 'EAUTH', responseCode: 535 }, false, 'retry'],
    ['the mailbox is busy', { code: 'EENVELOPE', responseCode: 450 }, false, 'retry'],
    ['the mailbox does not exist', { code: 'EENVELOPE', responseCode: 550 }, false, 'failed'],
    ['the address is none', { code: 'EENVELOPE' }, false, 'failed'],
    ['the content is refused for now', { code: 'EMESSAGE', responseCode: 451 }, true, 'retry'],
    ['the content is refused', { code: 'EMESSAGE', responseCode: 554 }, true, 'failed'],
    ['the connection ends with the content', { code: 'ECONNECTION' }, true, 'failed'],
    ['the server does not answer the content', { code: 'ETIMEDOUT' }, true, 'failed'],
  ])('%s', (_case, trouble, contentFlows, outcome) => {
    expect(judge({ message: 'x', ...trouble }, contentFlows).outcome).toBe(outcome);
  });
});
