import { outboxEvent, type OutboxEvent } from '@souk/outbox';
import { EmailVerified, UserDeleted, UserRegistered } from '@souk/proto/identity/v1';
import type { User } from './accounts/users.store.js';

/** The fact that somebody has an account now. */
export function userRegistered({ userId, email, name, createdAt }: User): OutboxEvent {
  const message = { userId, email, name, registerTime: createdAt };
  return outboxEvent('souk.identity.v1.UserRegistered', userId, message, UserRegistered);
}

/** The fact that an address belongs to the account. */
export function emailVerified(userId: string, email: string, verifyTime: Date): OutboxEvent {
  return outboxEvent('souk.identity.v1.EmailVerified', userId, { userId, email, verifyTime }, EmailVerified);
}

/** The fact that an account is gone. */
export function userDeleted(userId: string, deleteTime: Date): OutboxEvent {
  return outboxEvent('souk.identity.v1.UserDeleted', userId, { userId, deleteTime }, UserDeleted);
}
