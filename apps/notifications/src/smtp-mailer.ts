// Mails by SMTP. Guarantees: `sent` means that the server took the mail; `retry` that it surely did not. Where the
// connection ends after the content began to flow and before the server's answer, nobody knows: that is `failed`, so that
// no mail goes out twice. One connection per mail: nodemailer's pool would send again by itself what it is unsure of.
import { Readable } from 'node:stream';
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { QueuedMail } from './notifications.store.js';
import { compose, type Delivery, type Mailer } from './mailer.js';

const TIMEOUTS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 60_000 };
/** Longest that handing over one mail takes. */
export const SMTP_DEADLINE_MS = 180_000;

interface SmtpTrouble {
  message?: string;
  code?: string;
  responseCode?: number;
}

export class SmtpMailer implements Mailer {
  readonly repeatable = false;

  constructor(
    private readonly url: string,
    private readonly from: string,
  ) {}

  async deliver(mail: QueuedMail): Promise<Delivery> {
    const message = { ...compose(mail, this.from), signal: AbortSignal.timeout(SMTP_DEADLINE_MS) };
    return handOver(this.url, message);
  }
}

async function handOver(url: string, message: SendMailOptions): Promise<Delivery> {
  let contentFlows = false;
  const transport = createTransport({ url, ...TIMEOUTS });
  transport.use('stream', (mail, done) => {
    // nodemailer reads the content when the server has agreed to take it, and not before.
    const node = mail.message;
    const read = node.createReadStream.bind(node);
    node.createReadStream = () => whenRead(read, () => (contentFlows = true));
    done();
  });
  try {
    await transport.sendMail(message);
    return { outcome: 'sent' };
  } catch (error) {
    return judge(error as SmtpTrouble, contentFlows);
  } finally {
    transport.close();
  }
}

/** What an error says of the mail: whether it may have arrived, and whether another try may help. */
export function judge({ message, code, responseCode }: SmtpTrouble, contentFlows: boolean): Delivery {
  const error = message ?? 'unknown';
  if (responseCode === undefined && contentFlows) {
    return { outcome: 'failed', error: `${error}; not known to have arrived.` };
  }
  // A server that is not set up, or does not know us, is no verdict on the mail; a refusal of sender, recipient or content is.
  const aboutTheMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  const forGood = responseCode === undefined || responseCode >= 500;
  return { outcome: aboutTheMail && forGood ? 'failed' : 'retry', error };
}

function whenRead(read: () => Readable, onRead: () => void): Readable {
  async function* content(): AsyncGenerator<Buffer> {
    onRead();
    yield* read();
  }
  return Readable.from(content(), { objectMode: false });
}
