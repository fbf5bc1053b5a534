import { z } from 'zod';
import { linkTokenSchema, nameSchema, newPasswordSchema, passwordSchema } from './auth.schemas.js';
import { emailSchema } from './fields.schemas.js';

export const updateProfileBody = z.strictObject({ name: nameSchema }).meta({ id: 'UpdateProfileRequest' });

const codeIfSetSchema = z.string().max(40).default('').meta({
  description: 'Six digits of the authenticator app, or a recovery code, where the account has a second factor.',
  example: '287082',
});

export const deleteAccountBody = z
  .strictObject({ password: passwordSchema, code: codeIfSetSchema })
  .meta({ id: 'DeleteAccountRequest' });

export const changePasswordBody = z
  .strictObject({
    password: passwordSchema.meta({ description: 'The present password.' }),
    newPassword: newPasswordSchema,
  })
  .meta({ id: 'ChangePasswordRequest' });

export const confirmLinkBody = z.strictObject({ token: linkTokenSchema }).meta({ id: 'ConfirmLinkRequest' });

export const requestEmailChangeBody = z
  .strictObject({ email: emailSchema, password: passwordSchema, code: codeIfSetSchema })
  .meta({ id: 'ChangeEmailRequest' });
