import { Body, Controller, Get, Header, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Tokens, User } from '@souk/proto/identity/v1';
import type { z } from 'zod';
import { IDENTITY, type IdentityClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails } from './api-docs.js';
import { keySetSchema, loginBody, refreshBody, registerBody, sessionSchema, userSchema } from './auth.schemas.js';
import { required, timeView } from './fields.view.js';

type Session = z.infer<typeof sessionSchema>;

@ApiTags('Accounts')
@Controller()
export class AuthController {
  constructor(@Inject(IDENTITY) private readonly identity: IdentityClient) {}

  @Post('v1/auth/register')
  @Access('public')
  @ApiOperation({ summary: 'Create a customer account and log in' })
  @Answers(201, 'The account, logged in.', sessionSchema)
  @Fails({ 409: ['EMAIL_TAKEN'] })
  async register(@Body({ schema: registerBody }) body: z.infer<typeof registerBody>): Promise<Session> {
    return sessionView(await this.identity.register(body));
  }

  @Post('v1/auth/login')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({ summary: 'Log in' })
  @Answers(200, 'An open session.', sessionSchema)
  @Fails({ 401: ['WRONG_CREDENTIALS'] })
  async login(@Body({ schema: loginBody }) body: z.infer<typeof loginBody>): Promise<Session> {
    return sessionView(await this.identity.login(body));
  }

  @Post('v1/auth/refresh')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({ summary: 'Exchange a refresh token for a new pair' })
  @Answers(200, 'The session with new tokens; the old refresh token has ended.', sessionSchema)
  @Fails({ 401: ['SESSION_ENDED'] })
  async refresh(@Body({ schema: refreshBody }) body: z.infer<typeof refreshBody>): Promise<Session> {
    return sessionView(await this.identity.refreshSession(body));
  }

  @Post('v1/auth/logout')
  @HttpCode(204)
  @Access('public')
  @ApiOperation({ summary: 'End a session' })
  @Answers(204, 'The session has ended.')
  async logout(@Body({ schema: refreshBody }) body: z.infer<typeof refreshBody>): Promise<void> {
    await this.identity.logout(body);
  }

  @Get('v1/me')
  @Access('user')
  @ApiOperation({ summary: 'Read the account of the caller' })
  @Answers(200, 'The account.', userSchema)
  async me(): Promise<z.infer<typeof userSchema>> {
    const { user } = await this.identity.getUser({ userId: '' });
    return userView(required(user));
  }

  @Get('.well-known/jwks.json')
  @Header('cache-control', 'public, max-age=60')
  @Access('public')
  @ApiOperation({ summary: 'Read the keys that access tokens are verified with' })
  @Answers(200, 'The keys.', keySetSchema)
  async keySet(): Promise<z.infer<typeof keySetSchema>> {
    const { keys } = await this.identity.listSigningKeys({});
    return { keys: keys.map(({ keyId, jwk }) => ({ ...(JSON.parse(jwk) as { kty: string }), kid: keyId })) };
  }
}

function sessionView({ user, tokens }: { user: User | undefined; tokens: Tokens | undefined }): Session {
  const { accessToken, refreshToken, expiresIn } = required(tokens);
  return { accessToken, refreshToken, expiresIn, user: userView(required(user)) };
}

function userView({ userId, email, name, roles, createTime }: User): z.infer<typeof userSchema> {
  return { id: userId, email, name, roles, createdAt: timeView(createTime) };
}
