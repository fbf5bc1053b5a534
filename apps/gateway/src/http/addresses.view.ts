/** Postal addresses between REST and the services' messages. */
import type { AddressEntry } from '@souk/proto/identity/v1';
import type { Address } from '@souk/proto/type/v1';
import type { z } from 'zod';
import type { addressEntrySchema, addressInput, addressSchema } from './addresses.schemas.js';
import { present, required, timeView } from './fields.view.js';

export type AddressEntryView = z.infer<typeof addressEntrySchema>;

export function addressView(address: Address): z.infer<typeof addressSchema> {
  return {
    name: address.name,
    line1: address.line1,
    ...present('line2', address.line2),
    city: address.city,
    ...present('region', address.region),
    ...present('postalCode', address.postalCode),
    country: address.country,
  };
}

export function toAddress(body: z.infer<typeof addressInput>): Address {
  const { line2 = '', region = '', postalCode = '', ...address } = body;
  return { ...address, line2, region, postalCode };
}

export function addressEntryView(entry: AddressEntry | undefined): AddressEntryView {
  const { addressId, address, createTime } = required(entry);
  return { id: addressId, address: addressView(required(address)), createdAt: timeView(createTime) };
}
