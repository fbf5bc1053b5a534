import { Allow } from '@souk/auth';
import {
  SessionsServiceService,
  type ListSessionsResponse,
  type RevokeOtherSessionsResponse,
  type RevokeSessionRequest,
  type RevokeSessionResponse,
  type Session as SessionMessage,
} from '@souk/proto/identity/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { caller, isUuid } from './identity.messages.js';
import { SessionsStore, type Session } from './sessions/sessions.store.js';

@RpcController(SessionsServiceService)
export class SessionsGrpc implements Handlers<typeof SessionsServiceService> {
  constructor(private readonly sessions: SessionsStore) {}

  @Allow('user')
  async listSessions(): Promise<ListSessionsResponse> {
    const { userId, sessionId } = caller();
    return { sessions: (await this.sessions.list(userId)).map((session) => toMessage(session, sessionId)) };
  }

  @Allow('user')
  async revokeSession({ sessionId }: RevokeSessionRequest): Promise<RevokeSessionResponse> {
    if (isUuid(sessionId)) await this.sessions.end(caller().userId, sessionId);
    return {};
  }

  @Allow('user')
  async revokeOtherSessions(): Promise<RevokeOtherSessionsResponse> {
    const { userId, sessionId } = caller();
    return { count: await this.sessions.endAll(userId, sessionId) };
  }
}

function toMessage({ sessionId, device, createdAt, lastUsedAt, expiresAt }: Session, current: string): SessionMessage {
  return {
    sessionId,
    device,
    createTime: createdAt,
    lastUseTime: lastUsedAt,
    expireTime: expiresAt,
    current: sessionId === current,
  };
}
