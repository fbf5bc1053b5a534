import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { IDENTITY, type IdentityClient } from '../clients.js';
import { Access } from './access.js';
import { rotateKeysBody, signingKeysSchema } from './administration.schemas.js';
import { signingKeysView } from './administration.view.js';
import { Answers } from './api-docs.js';

@ApiTags('Administration')
@Controller('v1/signing-keys')
export class SigningKeysController {
  constructor(@Inject(IDENTITY) private readonly identity: IdentityClient) {}

  @Post('rotate')
  @HttpCode(200)
  @Access('keys:write')
  @ApiOperation({
    summary: 'Make the next key that signs access tokens',
    description: 'It is published at once and signs ten minutes later; nobody is logged out.',
  })
  @Answers(200, 'The keys as they are now.', signingKeysSchema)
  async rotate(
    @Body({ schema: rotateKeysBody }) body: z.infer<typeof rotateKeysBody>,
  ): Promise<z.infer<typeof signingKeysSchema>> {
    const { keys } = await this.identity.rotateSigningKeys({ compromised: body?.compromised ?? false });
    return signingKeysView(keys);
  }
}
