import { Allow, may, userIdOf } from '@souk/auth';
import { DomainError } from '@souk/errors';
import {
  IdentityServiceService,
  type CompleteLoginRequest,
  type CompleteLoginResponse,
  type GetUserRequest,
  type GetUserResponse,
  type ListSigningKeysResponse,
  type LoginRequest,
  type LoginResponse,
  type LogoutRequest,
  type LogoutResponse,
  type RefreshSessionRequest,
  type RefreshSessionResponse,
  type RegisterRequest,
  type RegisterResponse,
  type RequestPasswordResetRequest,
  type RequestPasswordResetResponse,
  type ResetPasswordRequest,
  type ResetPasswordResponse,
  type RotateSigningKeysRequest,
  type RotateSigningKeysResponse,
  type SigningKey,
} from '@souk/proto/identity/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { userNotFound } from './accounts/account-errors.js';
import { Register } from './accounts/register.js';
import { UsersStore } from './accounts/users.store.js';
import { deviceOf, isUuid, toSession, toUser } from './identity.messages.js';
import { RequestPasswordReset } from './passwords/request-password-reset.js';
import { ResetPassword } from './passwords/reset-password.js';
import { CompleteLogin } from './sessions/complete-login.js';
import { Login } from './sessions/login.js';
import { parseRefreshToken } from './sessions/refresh-token.js';
import { RefreshSession } from './sessions/refresh-session.js';
import { SessionsStore } from './sessions/sessions.store.js';
import { SigningKeys } from './tokens/signing-keys.js';
import type { PublishedKey } from './tokens/signing-keys.store.js';

@RpcController(IdentityServiceService)
export class IdentityGrpc implements Handlers<typeof IdentityServiceService> {
  constructor(
    private readonly registering: Register,
    private readonly loggingIn: Login,
    private readonly completing: CompleteLogin,
    private readonly refreshing: RefreshSession,
    private readonly requestingReset: RequestPasswordReset,
    private readonly resetting: ResetPassword,
    private readonly sessions: SessionsStore,
    private readonly users: UsersStore,
    private readonly keys: SigningKeys,
  ) {}

  @Allow('anyone')
  async register({ email, password, name, device }: RegisterRequest): Promise<RegisterResponse> {
    return toSession(await this.registering.execute({ email, password, name }, deviceOf(device)));
  }

  @Allow('anyone')
  async login({ email, password, device }: LoginRequest): Promise<LoginResponse> {
    const outcome = await this.loggingIn.execute(email, password, deviceOf(device));
    if (!('challenge' in outcome)) return toSession(outcome);
    return { ...outcome, user: undefined, tokens: undefined };
  }

  @Allow('anyone')
  async completeLogin({ challengeToken, code, device }: CompleteLoginRequest): Promise<CompleteLoginResponse> {
    return toSession(await this.completing.execute(challengeToken, code, deviceOf(device)));
  }

  @Allow('anyone')
  async refreshSession({ refreshToken, device }: RefreshSessionRequest): Promise<RefreshSessionResponse> {
    return toSession(await this.refreshing.execute(refreshToken, deviceOf(device)));
  }

  @Allow('anyone')
  async requestPasswordReset({ email }: RequestPasswordResetRequest): Promise<RequestPasswordResetResponse> {
    await this.requestingReset.execute(email);
    return {};
  }

  @Allow('anyone')
  async resetPassword({ token, password }: ResetPasswordRequest): Promise<ResetPasswordResponse> {
    await this.resetting.execute(token, password);
    return {};
  }

  @Allow('anyone')
  async logout({ refreshToken }: LogoutRequest): Promise<LogoutResponse> {
    const token = parseRefreshToken(refreshToken);
    if (token) await this.sessions.endFamily(token);
    return {};
  }

  @Allow('user', 'users:read', 'service:orders')
  async getUser(request: GetUserRequest): Promise<GetUserResponse> {
    const principal = currentPrincipal();
    const userId = request.userId || (userIdOf(principal) ?? '');
    if (userId !== userIdOf(principal) && !may(principal, 'users:read')) throw notYours();
    const user = isUuid(userId) ? await this.users.find(userId) : undefined;
    if (!user) throw userNotFound();
    return { user: toUser(user) };
  }

  @Allow('public')
  async listSigningKeys(): Promise<ListSigningKeysResponse> {
    return { keys: (await this.keys.published()).map(toKey) };
  }

  @Allow('keys:write', 'service:ops')
  async rotateSigningKeys({ compromised }: RotateSigningKeysRequest): Promise<RotateSigningKeysResponse> {
    await (compromised ? this.keys.replaceAll() : this.keys.rotate());
    return { keys: (await this.keys.published()).map(toKey) };
  }
}

function toKey({ jwk, signsFrom }: PublishedKey): SigningKey {
  return { keyId: jwk.kid ?? '', jwk: JSON.stringify(jwk), signTime: signsFrom };
}

function notYours(): DomainError {
  return new DomainError({
    kind: 'forbidden',
    reason: 'PERMISSION_DENIED',
    message: 'You may read only your own account.',
  });
}
