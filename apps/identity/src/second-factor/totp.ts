// Codes of authenticator apps (TOTP, RFC 6238): six digits by HMAC-SHA-1 for each half minute, which is what all of the apps can
// do. Pure, with the time as an argument.
import { Secret, TOTP } from 'otpauth';

const SECRET_BYTES = 20;
const DIGITS = 6;
const PERIOD_SECONDS = 30;
const CODE = /^\d{6}$/;
/** Codes of the half minute before and after count too: clocks differ, and people type slowly. */
const SKEW_STEPS = 1;

export function newTotpSecret(): Buffer {
  return Buffer.from(new Secret({ size: SECRET_BYTES }).buffer);
}

/** Whether the text could be a code of an app. */
export function looksLikeTotp(code: string): boolean {
  return CODE.test(code);
}

/** What an app is given: the address for a QR code, and the secret to be typed. */
export function enrolmentOf(secret: Buffer, issuer: string, label: string): { uri: string; secret: string } {
  const totp = totpOf(secret, { issuer, label });
  return { uri: totp.toString(), secret: totp.secret.base32 };
}

/** Number of the half minute that the code belongs to; undefined where it is none of now, just before or just after. */
export function stepOf(secret: Buffer, code: string, nowSeconds: number): number | undefined {
  if (!looksLikeTotp(code)) return undefined;
  const delta = totpOf(secret).validate({ token: code, timestamp: nowSeconds * 1000, window: SKEW_STEPS });
  return delta === null ? undefined : Math.floor(nowSeconds / PERIOD_SECONDS) + delta;
}

function totpOf(secret: Buffer, about: { issuer?: string; label?: string } = {}): TOTP {
  const key = new Secret({ buffer: Uint8Array.from(secret).buffer });
  return new TOTP({ ...about, secret: key, algorithm: 'SHA1', digits: DIGITS, period: PERIOD_SECONDS });
}
