import { outboxEvent, type OutboxEvent } from '@souk/outbox';
import { UserRegistered } from '@souk/proto/identity/v1';
import type { User } from './accounts/users.store.js';

/** The fact that somebody has an account now. */
export function userRegistered({ userId, email, name, createdAt }: User): OutboxEvent {
  const message = { userId, email, name, registerTime: createdAt };
  return outboxEvent('souk.identity.v1.UserRegistered', userId, message, UserRegistered);
}
