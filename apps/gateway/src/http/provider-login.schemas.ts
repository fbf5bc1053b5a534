import { z } from 'zod';

export const providerLoginSchema = z
  .object({
    authorizationUrl: z.string().meta({ description: 'Where the browser goes.' }),
    verifier: z.string().meta({ description: 'Kept by this browser; the log-in does not end without it.' }),
    expiresIn: z.int().meta({ description: 'Seconds until the log-in ends.', example: 600 }),
  })
  .meta({ id: 'ProviderLogin', description: 'A log-in by the identity provider that has begun.' });

export const providerCallbackBody = z
  .strictObject({
    code: z.string().min(1).max(4_000).meta({ description: '`code` of the address.' }),
    state: z.string().min(1).max(200).meta({ description: '`state` of the address.' }),
    iss: z.string().max(1_000).optional().meta({ description: '`iss` of the address, where it has one.' }),
    verifier: z.string().min(1).max(200).meta({ description: '`verifier` of the answer to the start.' }),
  })
  .meta({ id: 'ProviderCallbackRequest' });
