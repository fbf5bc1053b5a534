/** Accounts and their sessions, from identity's messages to REST. */
import type { Device, Tokens, User } from '@souk/proto/identity/v1';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { sessionSchema, userSchema } from './auth.schemas.js';
import { required, timeView } from './fields.view.js';

export type UserView = z.infer<typeof userSchema>;
export type SessionView = z.infer<typeof sessionSchema>;

export function userView(user: User | undefined): UserView {
  const { userId, email, emailVerified, name, roles, createTime } = required(user);
  return { id: userId, email: email || null, emailVerified, name, roles, createdAt: timeView(createTime) };
}

export function sessionView({ user, tokens }: { user: User | undefined; tokens: Tokens | undefined }): SessionView {
  const { accessToken, refreshToken, expiresIn, mustEnrol } = required(tokens);
  return { accessToken, refreshToken, expiresIn, mustEnrol, user: userView(user) };
}

/** Where a request came from: shown to the owner of the account, and what tries of passwords are counted by. */
export function deviceOf({ ip, headers }: FastifyRequest): Device {
  return { address: ip, userAgent: headers['user-agent'] ?? '' };
}
