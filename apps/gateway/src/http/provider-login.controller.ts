import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { PROVIDER_LOGIN, type ProviderLoginClient } from '../clients.js';
import { Access } from './access.js';
import { deviceOf, sessionView, type SessionView } from './accounts.view.js';
import { Answers, Fails } from './api-docs.js';
import { sessionSchema } from './auth.schemas.js';
import { providerCallbackBody, providerLoginSchema } from './provider-login.schemas.js';

/** Logging in by the shop's own identity provider. */
@ApiTags('Accounts')
@Controller('v1/auth/oidc')
export class ProviderLoginController {
  constructor(@Inject(PROVIDER_LOGIN) private readonly provider: ProviderLoginClient) {}

  @Post('start')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({
    summary: 'Begin to log in by the identity provider',
    description:
      'For those who work for the shop. Keep `verifier` where no other page reads it (`sessionStorage`), send the browser to ' +
      '`authorizationUrl`, and end the log-in with what stands in the address that it comes back to.',
  })
  @Answers(200, 'Where to send the browser.', providerLoginSchema)
  @Fails({
    404: ['PROVIDER_NOT_CONFIGURED'],
    429: ['RATE_LIMITED', 'TOO_MANY_ATTEMPTS'],
    503: ['PROVIDER_UNAVAILABLE', 'SERVICE_UNAVAILABLE'],
  })
  async start(@Req() request: FastifyRequest): Promise<z.infer<typeof providerLoginSchema>> {
    return this.provider.beginProviderLogin({ device: deviceOf(request) });
  }

  @Post('callback')
  @HttpCode(200)
  @Access('public')
  @ApiOperation({
    summary: 'End a log-in by the identity provider',
    description: 'Once, from the browser that began. Roles are those that the provider says at this moment.',
  })
  @Answers(200, 'An open session.', sessionSchema)
  @Fails({
    401: ['PROVIDER_LOGIN_ENDED', 'PROVIDER_LOGIN_REFUSED'],
    403: ['NOT_STAFF', 'PROVIDER_EMAIL_UNVERIFIED'],
    404: ['PROVIDER_NOT_CONFIGURED', 'ROLE_NOT_FOUND'],
    409: ['PROVIDER_ACCOUNT_TAKEN', 'LAST_ADMIN'],
    503: ['PROVIDER_UNAVAILABLE', 'SERVICE_UNAVAILABLE'],
  })
  async callback(
    @Body({ schema: providerCallbackBody }) { iss, ...back }: z.infer<typeof providerCallbackBody>,
    @Req() request: FastifyRequest,
  ): Promise<SessionView> {
    const answer = { ...back, issuer: iss ?? '', device: deviceOf(request) };
    return sessionView(await this.provider.completeProviderLogin(answer));
  }
}
