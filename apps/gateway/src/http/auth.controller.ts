import { Body, Controller, Get, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { IDENTITY, type IdentityClient } from '../clients.js';
import { Access } from './access.js';
import { deviceOf, sessionView, type SessionView } from './accounts.view.js';
import { Answers, Fails } from './api-docs.js';
import {
  challengeSchema,
  codeBody,
  confirmPasswordResetBody,
  keySetSchema,
  loginBody,
  refreshBody,
  registerBody,
  requestPasswordResetBody,
  sessionSchema,
} from './auth.schemas.js';

@ApiTags('Accounts')
@Controller()
export class AuthController {
  constructor(@Inject(IDENTITY) private readonly identity: IdentityClient) {}

  @Post('v1/auth/register')
  @Access('public')
  @ApiOperation({
    summary: 'Create a customer account and log in',
    description:
      'The answer is the same whether or not the address belongs to another account; the mail that goes there tells. ' +
      'The account owns the address once that is proved by the link of the mail.',
  })
  @Answers(201, 'The account, logged in.', sessionSchema)
  @Fails({ 400: ['INVALID_ARGUMENT', 'PASSWORD_TOO_WEAK', 'JSON_MALFORMED'] })
  async register(
    @Body({ schema: registerBody }) body: z.infer<typeof registerBody>,
    @Req() request: FastifyRequest,
  ): Promise<SessionView> {
    return sessionView(await this.identity.register({ ...body, device: deviceOf(request) }));
  }

  @Post('v1/auth/login')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({ summary: 'Log in' })
  @Answers(200, 'An open session.', sessionSchema)
  @Answers(202, 'Who has a second factor is asked for a code: `POST /v1/auth/login/code`.', challengeSchema)
  @Fails({ 401: ['WRONG_CREDENTIALS'], 403: ['PASSWORD_LOGIN_OFF'], 429: ['RATE_LIMITED', 'TOO_MANY_ATTEMPTS'] })
  async login(
    @Body({ schema: loginBody }) body: z.infer<typeof loginBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionView | z.infer<typeof challengeSchema>> {
    const { challenge, ...session } = await this.identity.login({ ...body, device: deviceOf(request) });
    if (!challenge) return sessionView(session);
    void reply.status(202);
    return { challenge };
  }

  @Post('v1/auth/login/code')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({
    summary: 'Complete a log-in by a code of the second factor',
    description: 'From the program that began it: the `User-Agent` must be the same. A code works once.',
  })
  @Answers(200, 'An open session.', sessionSchema)
  @Fails({
    401: ['CHALLENGE_ENDED'],
    403: ['WRONG_CODE', 'PASSWORD_LOGIN_OFF'],
    429: ['RATE_LIMITED', 'TOO_MANY_ATTEMPTS'],
  })
  async completeLogin(
    @Body({ schema: codeBody }) body: z.infer<typeof codeBody>,
    @Req() request: FastifyRequest,
  ): Promise<SessionView> {
    return sessionView(await this.identity.completeLogin({ ...body, device: deviceOf(request) }));
  }

  @Post('v1/auth/refresh')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({ summary: 'Exchange a refresh token for a new pair' })
  @Answers(200, 'The session with new tokens; the old refresh token has ended.', sessionSchema)
  @Fails({ 401: ['SESSION_ENDED'], 403: ['PASSWORD_LOGIN_OFF'] })
  async refresh(
    @Body({ schema: refreshBody }) body: z.infer<typeof refreshBody>,
    @Req() request: FastifyRequest,
  ): Promise<SessionView> {
    return sessionView(await this.identity.refreshSession({ ...body, device: deviceOf(request) }));
  }

  @Post('v1/auth/logout')
  @HttpCode(204)
  @Access('public')
  @ApiOperation({ summary: 'End a session' })
  @Answers(204, 'The session has ended.')
  async logout(@Body({ schema: refreshBody }) body: z.infer<typeof refreshBody>): Promise<void> {
    await this.identity.logout(body);
  }

  @Post('v1/auth/password-reset')
  @HttpCode(202)
  @Access('public')
  @ApiOperation({
    summary: 'Ask for a link to choose a new password',
    description: 'The answer does not tell whether an account has the address.',
  })
  @Answers(202, 'A mail is on its way, where an account proved that the address is its own.')
  async requestPasswordReset(
    @Body({ schema: requestPasswordResetBody }) body: z.infer<typeof requestPasswordResetBody>,
  ): Promise<void> {
    await this.identity.requestPasswordReset(body);
  }

  @Post('v1/auth/password-reset/confirm')
  @HttpCode(204)
  @Access('public')
  @ApiOperation({ summary: 'Choose a new password by the link of a mail' })
  @Answers(204, 'The password is changed, and every session of the account has ended.')
  @Fails({ 400: ['INVALID_ARGUMENT', 'PASSWORD_TOO_WEAK', 'JSON_MALFORMED'], 409: ['LINK_INVALID'] })
  async confirmPasswordReset(
    @Body({ schema: confirmPasswordResetBody }) body: z.infer<typeof confirmPasswordResetBody>,
  ): Promise<void> {
    await this.identity.resetPassword(body);
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
