import { z } from 'zod';
import { idSchema, timeSchema } from './fields.schemas.js';

const text = (max: number, example: string) => z.string().min(1).max(max).meta({ example });

export const addressInput = z
  .strictObject({
    name: text(200, 'Noor Rahman').meta({ description: 'Full name of the recipient.', example: 'Noor Rahman' }),
    line1: text(200, '12 Lantern Lane'),
    line2: z.string().max(200).optional(),
    city: text(100, 'Leipzig'),
    region: z.string().max(100).optional(),
    postalCode: z.string().max(20).optional().meta({ example: '04109' }),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, 'is an ISO 3166-1 code of two capitals')
      .meta({ example: 'DE' }),
  })
  .meta({ id: 'AddressInput', description: 'A postal address.' });

export const addressSchema = z
  .object({
    name: z.string(),
    line1: z.string(),
    line2: z.string().optional(),
    city: z.string(),
    region: z.string().optional(),
    postalCode: z.string().optional(),
    country: z.string(),
  })
  .meta({ id: 'Address', description: 'A postal address.' });

export const addressEntryBody = z.strictObject({ address: addressInput }).meta({ id: 'AddressEntryInput' });

export const addressEntrySchema = z
  .object({ id: idSchema, address: addressSchema, createdAt: timeSchema })
  .meta({ id: 'AddressEntry', description: 'An address in the address book of an account.' });

export const addressBookSchema = z.object({ items: z.array(addressEntrySchema) }).meta({ id: 'AddressBook' });
