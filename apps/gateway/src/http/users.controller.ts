import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { IDENTITY, USERS, type IdentityClient, type UsersClient } from '../clients.js';
import { Access } from './access.js';
import { userView, type UserView } from './accounts.view.js';
import { assignRolesBody, listUsersQuery, userPageSchema } from './administration.schemas.js';
import { Answers, Fails } from './api-docs.js';
import { userSchema } from './auth.schemas.js';
import { idSchema } from './fields.schemas.js';
import { nextCursorView } from './fields.view.js';
import { endedSessionsSchema } from './sessions.schemas.js';

/** Accounts of others, for those who run the shop. */
@ApiTags('Administration')
@Controller('v1/users')
export class UsersController {
  constructor(
    @Inject(USERS) private readonly users: UsersClient,
    @Inject(IDENTITY) private readonly identity: IdentityClient,
  ) {}

  @Get()
  @Access('users:read')
  @ApiOperation({ summary: 'List accounts, oldest first' })
  @Answers(200, 'A page of accounts.', userPageSchema)
  async list(
    @Query({ schema: listUsersQuery }) query: z.infer<typeof listUsersQuery>,
  ): Promise<z.infer<typeof userPageSchema>> {
    const { limit, cursor, email = '', role = '' } = query;
    const { users, nextPageToken } = await this.users.listUsers({ pageSize: limit, pageToken: cursor, email, role });
    return { items: users.map(userView), nextCursor: nextCursorView(nextPageToken) };
  }

  @Get(':id')
  @Access('users:read')
  @ApiOperation({ summary: 'Read an account' })
  @Answers(200, 'The account.', userSchema)
  @Fails({ 404: ['USER_NOT_FOUND'] })
  async get(@Param('id', { schema: idSchema }) userId: string): Promise<UserView> {
    return userView((await this.identity.getUser({ userId })).user);
  }

  @Put(':id/roles')
  @Access('roles:write')
  @ApiOperation({
    summary: 'Replace the roles of an account',
    description: 'Felt with the next access token. Nobody gives or takes what they do not have themselves.',
  })
  @Answers(200, 'The account.', userSchema)
  @Fails({ 403: ['GRANT_TOO_WIDE'], 404: ['USER_NOT_FOUND', 'ROLE_NOT_FOUND'], 409: ['LAST_ADMIN'] })
  async assignRoles(
    @Param('id', { schema: idSchema }) userId: string,
    @Body({ schema: assignRolesBody }) { roles }: z.infer<typeof assignRolesBody>,
  ): Promise<UserView> {
    return userView((await this.users.assignRoles({ userId, roles })).user);
  }

  @Post(':id/sessions/revoke')
  @HttpCode(200)
  @Access('users:write')
  @ApiOperation({ summary: 'End all sessions of an account' })
  @Answers(200, 'They have ended. Access tokens that they issued expire within fifteen minutes.', endedSessionsSchema)
  @Fails({ 403: ['GRANT_TOO_WIDE'], 404: ['USER_NOT_FOUND'] })
  async revokeSessions(
    @Param('id', { schema: idSchema }) userId: string,
  ): Promise<z.infer<typeof endedSessionsSchema>> {
    return { ended: (await this.users.revokeUserSessions({ userId })).count };
  }

  @Delete(':id/second-factor')
  @HttpCode(204)
  @Access('users:write')
  @ApiOperation({
    summary: 'Take the second factor of an account off',
    description:
      'For who lost the app and the recovery codes: all sessions of the account end, and the owner is told by mail.',
  })
  @Answers(204, 'The account has no second factor.')
  @Fails({ 403: ['GRANT_TOO_WIDE', 'OWN_SECOND_FACTOR'], 404: ['USER_NOT_FOUND'] })
  async resetSecondFactor(@Param('id', { schema: idSchema }) userId: string): Promise<void> {
    await this.users.resetSecondFactor({ userId });
  }
}
