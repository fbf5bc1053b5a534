import { z } from 'zod';
import { emailSchema, idSchema, timeSchema } from './fields.schemas.js';

export const passwordSchema = z
  .string()
  .min(1)
  .max(128)
  .meta({ description: 'Password of the account.', example: 'a brass lantern at dusk' });

export const newPasswordSchema = passwordSchema.meta({
  description: 'Password, 10 to 128 characters.',
  example: 'a brass lantern at dusk',
});

export const nameSchema = z
  .string()
  .min(1)
  .max(100)
  .meta({ description: 'Name to greet the customer with.', example: 'Noor' });

export const linkTokenSchema = z.string().min(1).max(200).meta({
  description: 'What stands after the `#` of the link.',
  example: 'mG3q0XJb2m1Yk8t5fYw9aV7cQpLZr4sNn6hEdUoTxIA',
});

export const codeSchema = z
  .string()
  .min(1)
  .max(40)
  .meta({ description: 'Six digits of the authenticator app, or a recovery code.', example: '287082' });

export const registerBody = z
  .strictObject({ email: emailSchema, password: newPasswordSchema, name: nameSchema })
  .meta({ id: 'RegisterRequest' });

export const loginBody = z
  .strictObject({ email: z.string().min(1).max(254).meta({ example: 'noor@example.com' }), password: passwordSchema })
  .meta({ id: 'LoginRequest' });

export const refreshBody = z
  .strictObject({
    refreshToken: z.string().min(1).max(1_000).meta({ description: 'The newest refresh token of the session.' }),
  })
  .meta({ id: 'RefreshRequest' });

export const requestPasswordResetBody = z
  .strictObject({ email: emailSchema })
  .meta({ id: 'RequestPasswordResetRequest' });

export const confirmPasswordResetBody = z
  .strictObject({ token: linkTokenSchema, password: newPasswordSchema })
  .meta({ id: 'ResetPasswordRequest' });

export const userSchema = z
  .object({
    id: idSchema,
    email: z.string().nullable().meta({
      description: 'Address to log in with; null where another account proved that it is its own.',
      example: 'noor@example.com',
    }),
    emailVerified: z.boolean().meta({ description: 'Whether the account proved that the address is its own.' }),
    name: z.string().meta({ example: 'Noor' }),
    roles: z
      .array(z.string())
      .meta({ description: '`customer`, `staff`, `admin`, and those that the shop made.', example: ['customer'] }),
    createdAt: timeSchema,
  })
  .meta({ id: 'User', description: 'A person who can log in.' });

export const sessionSchema = z
  .object({
    accessToken: z.string().meta({ description: 'JWT for the `Authorization` header.' }),
    refreshToken: z.string().meta({ description: 'Buys the next pair of tokens; works once.' }),
    expiresIn: z.int().meta({ description: 'Seconds until the access token expires.', example: 900 }),
    mustEnrol: z.boolean().meta({
      description: 'The access token lets its bearer set up a second factor and no more; then refresh the session.',
    }),
    user: userSchema,
  })
  .meta({ id: 'Session', description: 'An open session.' });

export const challengeSchema = z
  .object({
    challenge: z.object({
      token: z
        .string()
        .meta({ description: 'Names the log-in, together with a code; keep it as secret as a password.' }),
      expiresIn: z.int().meta({ description: 'Seconds until it ends.', example: 300 }),
    }),
  })
  .meta({ id: 'LoginChallenge', description: 'The password is right, and a code of the second factor is wanted.' });

export const codeBody = z
  .strictObject({
    challengeToken: z.string().min(1).max(200).meta({ description: '`challenge.token` of the answer to the log-in.' }),
    code: codeSchema,
  })
  .meta({ id: 'LoginCodeRequest' });

export const keySetSchema = z
  .object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) })
  .meta({ id: 'JsonWebKeySet', description: 'The public keys that access tokens are verified with.' });
