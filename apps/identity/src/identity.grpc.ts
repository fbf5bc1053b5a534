import { Allow, isStaff, userIdOf } from '@souk/auth';
import { DomainError } from '@souk/errors';
import {
  IdentityServiceService,
  type GetUserRequest,
  type GetUserResponse,
  type ListSigningKeysRequest,
  type ListSigningKeysResponse,
  type LoginRequest,
  type LoginResponse,
  type LogoutRequest,
  type LogoutResponse,
  type RefreshSessionRequest,
  type RefreshSessionResponse,
  type RegisterRequest,
  type RegisterResponse,
  type User as UserMessage,
} from '@souk/proto/identity/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { ACCESS_TOKEN_SECONDS } from './tokens/access-tokens.js';
import { Login } from './sessions/login.js';
import { parseRefreshToken } from './sessions/refresh-token.js';
import { RefreshSession } from './sessions/refresh-session.js';
import { Register, type LoggedIn } from './accounts/register.js';
import { SessionsStore } from './sessions/sessions.store.js';
import { SigningKeys } from './tokens/signing-keys.js';
import { UsersStore, type User } from './accounts/users.store.js';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

@RpcController(IdentityServiceService)
export class IdentityGrpc implements Handlers<typeof IdentityServiceService> {
  constructor(
    private readonly registering: Register,
    private readonly loggingIn: Login,
    private readonly refreshing: RefreshSession,
    private readonly sessions: SessionsStore,
    private readonly users: UsersStore,
    private readonly keys: SigningKeys,
  ) {}

  @Allow('anyone')
  async register({ email, password, name }: RegisterRequest): Promise<RegisterResponse> {
    return toResponse(await this.registering.execute({ email, password, name }));
  }

  @Allow('anyone')
  async login({ email, password }: LoginRequest): Promise<LoginResponse> {
    return toResponse(await this.loggingIn.execute(email, password));
  }

  @Allow('anyone')
  async refreshSession({ refreshToken }: RefreshSessionRequest): Promise<RefreshSessionResponse> {
    return toResponse(await this.refreshing.execute(refreshToken));
  }

  @Allow('anyone')
  async logout({ refreshToken }: LogoutRequest): Promise<LogoutResponse> {
    const token = parseRefreshToken(refreshToken);
    if (token) await this.sessions.end(token);
    return {};
  }

  @Allow('user')
  async getUser(request: GetUserRequest): Promise<GetUserResponse> {
    const principal = currentPrincipal();
    const userId = request.userId || (userIdOf(principal) ?? '');
    if (userId !== userIdOf(principal) && !isStaff(principal)) throw notYours();
    const user = UUID.test(userId) ? await this.users.find(userId) : undefined;
    if (!user) throw userNotFound();
    return { user: toMessage(user) };
  }

  @Allow('anyone')
  async listSigningKeys(_request: ListSigningKeysRequest): Promise<ListSigningKeysResponse> {
    const keys = await this.keys.publicKeys();
    return { keys: keys.map((jwk) => ({ keyId: jwk.kid ?? '', jwk: JSON.stringify(jwk) })) };
  }
}

function toResponse({ user, accessToken, refreshToken }: LoggedIn): RegisterResponse {
  return { user: toMessage(user), tokens: { accessToken, refreshToken, expiresIn: ACCESS_TOKEN_SECONDS } };
}

function toMessage({ userId, email, name, roles, createdAt }: User): UserMessage {
  return { userId, email, name, roles: [...roles], createTime: createdAt };
}

function notYours(): DomainError {
  return new DomainError({
    kind: 'forbidden',
    reason: 'PERMISSION_DENIED',
    message: 'You may read only your own account.',
  });
}

function userNotFound(): DomainError {
  return new DomainError({ kind: 'not_found', reason: 'USER_NOT_FOUND', message: 'There is no such user.' });
}
