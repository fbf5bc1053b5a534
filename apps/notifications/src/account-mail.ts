// What people are told about their accounts. Pure. A mail to an address that nobody proved to be theirs yet says nothing
// that a stranger wrote, not even a name: else anybody could write to anybody through it.
import { escapeHtml, greeting, htmlMail, textMail, wrapped, type MailText } from './mail-text.js';

interface Template {
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** What the link does, in a few words. */
  readonly link?: string;
}

const NOT_YOU = 'If that was not you, choose a new password at once and write to us.';

const TEMPLATES = {
  VERIFY_EMAIL: {
    subject: 'Confirm your e-mail address',
    paragraphs: [
      'somebody, we hope it was you, made an account with this address. Log in and open this link to confirm that it is yours.',
      'If it was not you, do nothing: without this link nobody can use your address.',
    ],
    link: 'Confirm the address',
  },
  ACCOUNT_EXISTS: {
    subject: 'You have an account already',
    paragraphs: [
      'somebody, we hope it was you, wanted an account with this address, and you have one already. Log in as you always do.',
      'If you do not know your password any more, choose a new one.',
    ],
    link: 'Choose a new password',
  },
  RESET_PASSWORD: {
    subject: 'Choose a new password',
    paragraphs: [
      'you asked for a new password. Open this link to choose one.',
      'If you did not ask, do nothing: your password stays as it is.',
    ],
    link: 'Choose a new password',
  },
  PASSWORD_CHANGED: {
    subject: 'Your password was changed',
    paragraphs: ['the password of your account was changed, and all other sessions were ended.', NOT_YOU],
  },
  CONFIRM_EMAIL: {
    subject: 'Confirm your new e-mail address',
    paragraphs: [
      'somebody, we hope it was you, wants to use this address for an account. Log in to that account and open this link.',
      'If it was not you, do nothing: without this link nobody can use your address.',
    ],
    link: 'Confirm the address',
  },
  EMAIL_CHANGED: {
    subject: 'Your account has another e-mail address now',
    paragraphs: ['your account has another e-mail address from now on; this one no longer belongs to it.', NOT_YOU],
  },
  SESSION_ENDED: {
    subject: 'One of your sessions was ended',
    paragraphs: [
      'a key to one of your sessions was used that had been replaced before. That happens when somebody has copied it, so we ended the session. Please log in again.',
      'If you wonder who that could be, change your password.',
    ],
  },
  SECOND_FACTOR_ADDED: {
    subject: 'Logging in asks for a second factor now',
    paragraphs: ['from now on, logging in to your account asks for a code of your authenticator app.', NOT_YOU],
  },
  SECOND_FACTOR_REMOVED: {
    subject: 'Logging in asks for no second factor any more',
    paragraphs: ['from now on, logging in to your account asks for your password alone.', NOT_YOU],
  },
  RECOVERY_CODE_USED: {
    subject: 'A recovery code was used',
    paragraphs: [
      'one of the recovery codes of your account was used in place of a code of your authenticator app; it works no more.',
      NOT_YOU,
    ],
  },
  ACCOUNT_DELETED: {
    subject: 'Your account is deleted',
    paragraphs: ['your account is deleted, as you wished. Good-bye.'],
  },
} as const satisfies Record<string, Template>;

/** What a mail about an account may be about. */
export type AccountMailKind = keyof typeof TEMPLATES;

/** The facts of a mail. */
export interface AccountNews {
  readonly kind: AccountMailKind;
  /** Empty where the recipient has not proved to be that person. */
  readonly name: string;
  readonly link: string;
  /** For how long the link works; 0 where it does not end. */
  readonly linkMinutes: number;
}

export function accountSubject(kind: AccountMailKind): string {
  return TEMPLATES[kind].subject;
}

/** Whether a mail of that kind is of no use without a link. */
export function hasLink(kind: AccountMailKind): boolean {
  return 'link' in TEMPLATES[kind];
}

/** Writes the mail, once for readers of text and once for readers of HTML. */
export function renderAccountMail({ kind, name, link, linkMinutes }: AccountNews): MailText {
  const { subject, paragraphs, link: label }: Template = TEMPLATES[kind];
  const [first = '', ...others] = paragraphs;
  const opening = [greeting(name), first];
  const closing = [...(label && linkMinutes > 0 ? [`The link works for ${duration(linkMinutes)}.`] : []), ...others];
  const anchor = `<p><a href="${escapeHtml(link)}">${escapeHtml(label ?? '')}</a></p>`;
  return {
    subject,
    text: textMail([subject, ...opening.map(wrapped), ...(label ? [link] : []), ...closing.map(wrapped)]),
    html: htmlMail(subject, [...opening.map(paragraph), ...(label ? [anchor] : []), ...closing.map(paragraph)]),
  };
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

function duration(minutes: number): string {
  const [count, unit] = minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute'];
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
