import { Body, Controller, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes, ApiOperation, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { MACHINE_CLIENTS, type MachineClientsClient } from '../clients.js';
import { Access } from './access.js';
import { Answers } from './api-docs.js';
import type { BodyConfig } from './body-parsers.js';
import { checkGrantType, clientCredentials } from './oauth.js';
import { oauthErrorSchema, tokenForm, tokenSchema } from './oauth.schemas.js';

/** Where programs get their access tokens. */
@ApiTags('Machine clients')
@Controller('v1/oauth')
export class OAuthController {
  constructor(@Inject(MACHINE_CLIENTS) private readonly clients: MachineClientsClient) {}

  @Post('token')
  @HttpCode(200)
  @Access('public')
  @ApiSecurity('clientCredentials')
  @RouteConfig({ body: 'form' } satisfies BodyConfig)
  @Header('pragma', 'no-cache')
  @ApiOperation({
    summary: 'Exchange client credentials for an access token',
    description: 'The client credentials grant of OAuth 2 (RFC 6749, section 4.4).',
  })
  @ApiConsumes('application/x-www-form-urlencoded')
  @Answers(200, 'The token.', tokenSchema)
  @Answers(400, 'Bad Request: `invalid_request`, `unsupported_grant_type`, `invalid_scope`.', oauthErrorSchema)
  @Answers(401, 'Unauthorized: `invalid_client`.', oauthErrorSchema, { 'WWW-Authenticate': '`Basic`.' })
  @Answers(415, 'Unsupported Media Type: `invalid_request`.', oauthErrorSchema)
  async token(
    @Body({ schema: tokenForm }) form: z.infer<typeof tokenForm>,
    @Req() { headers }: FastifyRequest,
  ): Promise<z.infer<typeof tokenSchema>> {
    const credentials = clientCredentials(headers.authorization, form);
    checkGrantType(form.grant_type);
    const { accessToken, expiresIn, scope } = await this.clients.issueClientToken({
      ...credentials,
      scope: form.scope ?? '',
    });
    return { access_token: accessToken, token_type: 'Bearer', expires_in: expiresIn, scope };
  }
}
