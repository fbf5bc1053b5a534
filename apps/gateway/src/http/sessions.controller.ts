import { Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Session } from '@souk/proto/identity/v1';
import type { z } from 'zod';
import { SESSIONS, type SessionsClient } from '../clients.js';
import { Access } from './access.js';
import { Answers } from './api-docs.js';
import { idSchema } from './fields.schemas.js';
import { present, timeView } from './fields.view.js';
import { endedSessionsSchema, openSessionsSchema } from './sessions.schemas.js';

/** Where the caller is logged in. */
@ApiTags('Accounts')
@Controller('v1/me/sessions')
export class SessionsController {
  constructor(@Inject(SESSIONS) private readonly sessions: SessionsClient) {}

  @Get()
  @Access('user')
  @ApiOperation({ summary: 'List where the caller is logged in, the session used last first' })
  @Answers(200, 'The open sessions, a hundred at most.', openSessionsSchema)
  async list(): Promise<z.infer<typeof openSessionsSchema>> {
    const { sessions } = await this.sessions.listSessions({});
    return { items: sessions.map(openSessionView) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('user')
  @ApiOperation({ summary: 'End a session' })
  @Answers(204, 'It has ended. Access tokens that it issued work until they expire, within fifteen minutes.')
  async revoke(@Param('id', { schema: idSchema }) sessionId: string): Promise<void> {
    await this.sessions.revokeSession({ sessionId });
  }

  @Post('revoke-others')
  @HttpCode(200)
  @Access('user')
  @ApiOperation({ summary: 'End all sessions but the one that asks' })
  @Answers(200, 'They have ended.', endedSessionsSchema)
  async revokeOthers(): Promise<z.infer<typeof endedSessionsSchema>> {
    return { ended: (await this.sessions.revokeOtherSessions({})).count };
  }
}

function openSessionView(session: Session): z.infer<typeof openSessionsSchema>['items'][number] {
  const { sessionId, device, createTime, lastUseTime, expireTime, current } = session;
  return {
    id: sessionId,
    ...present('address', device?.address ?? ''),
    ...present('userAgent', device?.userAgent ?? ''),
    current,
    createdAt: timeView(createTime),
    lastUsedAt: timeView(lastUseTime),
    expiresAt: timeView(expireTime),
  };
}
