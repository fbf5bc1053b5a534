import { Body, Controller, Delete, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { SECOND_FACTOR, type SecondFactorClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails } from './api-docs.js';
import { timeView } from './fields.view.js';
import {
  beginSecondFactorBody,
  confirmSecondFactorBody,
  enrolmentSchema,
  passwordAndCodeBody,
  recoveryCodesSchema,
  secondFactorSchema,
} from './second-factor.schemas.js';

const TRIES = ['RATE_LIMITED', 'TOO_MANY_ATTEMPTS'];
const ASKS_FOR_BOTH = { 403: ['WRONG_PASSWORD', 'WRONG_CODE'], 409: ['SECOND_FACTOR_MISSING'], 429: TRIES };

/** The caller's second factor. */
@ApiTags('Accounts')
@Controller('v1/me/second-factor')
export class SecondFactorController {
  constructor(@Inject(SECOND_FACTOR) private readonly secondFactor: SecondFactorClient) {}

  @Get()
  @Access('user', 'enrolling')
  @ApiOperation({ summary: 'Read whether the caller has a second factor' })
  @Answers(200, 'What the caller has.', secondFactorSchema)
  @Fails({ 404: ['USER_NOT_FOUND'] })
  async get(): Promise<z.infer<typeof secondFactorSchema>> {
    const { enabled, required, recoveryCodesLeft, confirmTime } = await this.secondFactor.getSecondFactor({});
    return { enabled, required, recoveryCodesLeft, confirmedAt: confirmTime ? timeView(confirmTime) : null };
  }

  @Post()
  @Access('user', 'enrolling')
  @ApiOperation({
    summary: 'Begin to set up a second factor',
    description:
      'Makes a secret for an authenticator app. Nothing else changes until a code of it confirms it, within an hour.',
  })
  @Answers(201, 'What the app is given.', enrolmentSchema)
  @Fails({ 403: ['WRONG_PASSWORD'], 404: ['USER_NOT_FOUND'], 409: ['SECOND_FACTOR_EXISTS'], 429: TRIES })
  async begin(
    @Body({ schema: beginSecondFactorBody }) body: z.infer<typeof beginSecondFactorBody>,
  ): Promise<z.infer<typeof enrolmentSchema>> {
    return this.secondFactor.beginSecondFactor(body);
  }

  @Post('confirm')
  @HttpCode(200)
  @Access('user', 'enrolling')
  @ApiOperation({
    summary: 'Turn the second factor on by a code',
    description: 'All other sessions end. Refresh this one for an access token that knows of the second factor.',
  })
  @Answers(200, 'It is on.', recoveryCodesSchema)
  @Fails({
    403: ['WRONG_CODE'],
    404: ['USER_NOT_FOUND'],
    409: ['SECOND_FACTOR_EXISTS', 'SECOND_FACTOR_NOT_BEGUN'],
    429: TRIES,
  })
  async confirm(
    @Body({ schema: confirmSecondFactorBody }) body: z.infer<typeof confirmSecondFactorBody>,
  ): Promise<z.infer<typeof recoveryCodesSchema>> {
    return this.secondFactor.confirmSecondFactor(body);
  }

  @Post('recovery-codes')
  @HttpCode(200)
  @Access('user')
  @ApiOperation({ summary: 'Make new recovery codes in place of those there are' })
  @Answers(200, 'The codes that work from now on.', recoveryCodesSchema)
  @Fails({ ...ASKS_FOR_BOTH, 404: ['USER_NOT_FOUND'] })
  async renewRecoveryCodes(
    @Body({ schema: passwordAndCodeBody }) body: z.infer<typeof passwordAndCodeBody>,
  ): Promise<z.infer<typeof recoveryCodesSchema>> {
    return this.secondFactor.renewRecoveryCodes(body);
  }

  @Delete()
  @HttpCode(204)
  @Access('user')
  @ApiOperation({ summary: 'Take the second factor off' })
  @Answers(204, 'Logging in asks for the password alone.')
  @Fails({ ...ASKS_FOR_BOTH, 404: ['USER_NOT_FOUND'] })
  async remove(@Body({ schema: passwordAndCodeBody }) body: z.infer<typeof passwordAndCodeBody>): Promise<void> {
    await this.secondFactor.removeSecondFactor(body);
  }
}
