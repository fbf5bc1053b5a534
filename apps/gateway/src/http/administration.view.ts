/** Roles, programs and keys, from identity's messages to REST. */
import type { Client, Role, SigningKey } from '@souk/proto/identity/v1';
import type { z } from 'zod';
import type { clientSchema, newSecretSchema, roleSchema, signingKeysSchema } from './administration.schemas.js';
import { required, timeView } from './fields.view.js';

export type RoleView = z.infer<typeof roleSchema>;
export type ClientView = z.infer<typeof clientSchema>;
export type NewSecretView = z.infer<typeof newSecretSchema>;

export function roleView(role: Role | undefined): RoleView {
  const { name, permissions, builtIn, createTime, updateTime } = required(role);
  return {
    name,
    permissions,
    builtIn,
    ...(createTime && { createdAt: timeView(createTime) }),
    ...(updateTime && { updatedAt: timeView(updateTime) }),
  };
}

export function clientView(client: Client | undefined): ClientView {
  const { clientId, name, permissions, secrets, createTime, lastUseTime } = required(client);
  return {
    id: clientId,
    name,
    permissions,
    secrets: secrets.map((secret) => ({
      id: secret.secretId,
      createdAt: timeView(secret.createTime),
      ...(secret.lastUseTime && { lastUsedAt: timeView(secret.lastUseTime) }),
    })),
    createdAt: timeView(createTime),
    ...(lastUseTime && { lastUsedAt: timeView(lastUseTime) }),
  };
}

export function newSecretView(answer: { client?: Client | undefined; clientSecret: string }): NewSecretView {
  return { client: clientView(answer.client), clientSecret: answer.clientSecret };
}

export function signingKeysView(keys: readonly SigningKey[]): z.infer<typeof signingKeysSchema> {
  const items = keys.map(({ keyId, signTime }) => ({ id: keyId, ...(signTime && { signsFrom: timeView(signTime) }) }));
  return { items };
}
