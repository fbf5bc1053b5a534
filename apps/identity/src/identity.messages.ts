// What several controllers need: who calls and from where, and accounts as messages.
import type { User as UserPrincipal } from '@souk/auth';
import type { Device as DeviceMessage, Tokens, User as UserMessage } from '@souk/proto/identity/v1';
import { currentPrincipal } from '@souk/rpc';
import { callContext } from '@souk/telemetry';
import type { User } from './accounts/users.store.js';
import { tidyDevice, UNKNOWN_DEVICE, type Device } from './sessions/device.js';
import type { LoggedIn } from './sessions/open-session.js';
import { ACCESS_TOKEN_SECONDS } from './tokens/access-tokens.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The person who calls an RPC that lets people in alone. */
export function caller(): UserPrincipal {
  const principal = currentPrincipal();
  if (principal.kind !== 'user') throw new Error('An RPC for people let in somebody else.');
  return principal;
}

/** The person who calls an RPC that also lets in whoever must set up a second factor first. */
export function enrollee(): { readonly userId: string; readonly sessionId: string } {
  const principal = currentPrincipal();
  return principal.kind === 'enrolling' ? principal : caller();
}

/** Where the call came from. Only a Souk service, such as the gateway, can tell; whoever else says so is not believed. */
export function deviceOf(message: DeviceMessage | undefined): Device {
  return message && callContext().caller ? tidyDevice(message) : UNKNOWN_DEVICE;
}

export function toSession({ user, refreshToken, accessToken, mustEnrol }: LoggedIn): {
  user: UserMessage;
  tokens: Tokens;
} {
  return { user: toUser(user), tokens: { accessToken, refreshToken, expiresIn: ACCESS_TOKEN_SECONDS, mustEnrol } };
}

export function toUser({ userId, email, emailVerified, name, roles, createdAt }: User): UserMessage {
  return { userId, email, emailVerified, name, roles: [...roles], createTime: createdAt };
}
