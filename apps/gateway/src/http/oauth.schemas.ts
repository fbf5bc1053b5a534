import { z } from 'zod';

// Parameters that are not known are ignored, as the standard asks for.
export const tokenForm = z
  .object({
    grant_type: z.string().max(100).meta({ description: '`client_credentials`.', example: 'client_credentials' }),
    scope: z.string().max(2_000).optional().meta({
      description:
        'Permissions that the token shall carry, with blanks between them; all of the client where it is left out.',
      example: 'stock:read stock:write',
    }),
    client_id: z.string().max(100).optional().meta({ description: 'Unless it comes by HTTP Basic.' }),
    client_secret: z.string().max(200).optional().meta({ description: 'Unless it comes by HTTP Basic.' }),
  })
  .meta({ id: 'TokenRequest' });

export const tokenSchema = z
  .object({
    access_token: z.string().meta({ description: 'JWT for the `Authorization` header.' }),
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'Seconds until it expires.', example: 900 }),
    scope: z.string().meta({ description: 'Permissions that it carries.', example: 'stock:read stock:write' }),
  })
  .meta({ id: 'AccessToken', description: 'The access token of a program (RFC 6749, section 5.1).' });

export const oauthErrorSchema = z
  .object({
    error: z.enum(['invalid_request', 'invalid_client', 'unsupported_grant_type', 'invalid_scope']),
    error_description: z.string().meta({ description: 'What went wrong, in a sentence for people.' }),
    reason: z.string().meta({ description: 'The same for programs, as in problems.', example: 'INVALID_CLIENT' }),
    requestId: z.string().meta({ description: 'Finds the request in the logs.' }),
  })
  .meta({ id: 'OAuthError', description: 'An error of the token endpoint (RFC 6749, section 5.2).' });
