import { z } from 'zod';
import { codeSchema, passwordSchema } from './auth.schemas.js';
import { timeSchema } from './fields.schemas.js';

export const beginSecondFactorBody = z
  .strictObject({ password: passwordSchema })
  .meta({ id: 'BeginSecondFactorRequest' });

export const confirmSecondFactorBody = z
  .strictObject({ code: codeSchema.meta({ description: 'Six digits that the app shows.', example: '287082' }) })
  .meta({ id: 'ConfirmSecondFactorRequest' });

export const passwordAndCodeBody = z
  .strictObject({ password: passwordSchema, code: codeSchema })
  .meta({ id: 'PasswordAndCodeRequest' });

export const secondFactorSchema = z
  .object({
    enabled: z.boolean().meta({ description: 'Whether logging in asks for a code.' }),
    required: z.boolean().meta({ description: 'Whether the shop asks the caller to have one.' }),
    recoveryCodesLeft: z.int().meta({ description: 'Recovery codes that were not used yet.', example: 10 }),
    confirmedAt: timeSchema.nullable().meta({ description: 'When it was turned on.' }),
  })
  .meta({ id: 'SecondFactor', description: 'The second factor of the caller.' });

export const enrolmentSchema = z
  .object({
    secret: z.string().meta({ description: 'To be typed into an authenticator app.' }),
    uri: z.string().meta({ description: 'The same as an `otpauth://` address, to be shown as a QR code.' }),
  })
  .meta({ id: 'SecondFactorEnrolment', description: 'What an authenticator app is given; shown once.' });

export const recoveryCodesSchema = z
  .object({
    recoveryCodes: z.array(z.string()).meta({ example: ['8QF3-K0ZD-71MV-T9XB'] }),
  })
  .meta({ id: 'RecoveryCodes', description: 'Each works once in place of a code; shown once.' });
