import { Body, Controller, Delete, Get, HttpCode, Inject, Patch, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ACCOUNT, IDENTITY, type AccountClient, type IdentityClient } from '../clients.js';
import { Access } from './access.js';
import {
  changePasswordBody,
  confirmLinkBody,
  deleteAccountBody,
  requestEmailChangeBody,
  updateProfileBody,
} from './account.schemas.js';
import { userView, type UserView } from './accounts.view.js';
import { Answers, Fails } from './api-docs.js';
import { userSchema } from './auth.schemas.js';

/** What asks for the password again is refused so. */
const ASKS_FOR_PASSWORD = { 403: ['WRONG_PASSWORD'], 429: ['RATE_LIMITED', 'TOO_MANY_ATTEMPTS'] };
const ASKS_FOR_CODE_TOO = { ...ASKS_FOR_PASSWORD, 403: ['WRONG_PASSWORD', 'WRONG_CODE'] };

/** The account of the person who calls. */
@ApiTags('Accounts')
@Controller('v1/me')
export class AccountController {
  constructor(
    @Inject(IDENTITY) private readonly identity: IdentityClient,
    @Inject(ACCOUNT) private readonly account: AccountClient,
  ) {}

  @Get()
  @Access('user')
  @ApiOperation({ summary: 'Read the account of the caller' })
  @Answers(200, 'The account.', userSchema)
  @Fails({ 404: ['USER_NOT_FOUND'] })
  async get(): Promise<UserView> {
    return userView((await this.identity.getUser({ userId: '' })).user);
  }

  @Patch()
  @Access('user')
  @ApiOperation({ summary: 'Change what others see of the caller' })
  @Answers(200, 'The account.', userSchema)
  @Fails({ 404: ['USER_NOT_FOUND'] })
  async update(@Body({ schema: updateProfileBody }) body: z.infer<typeof updateProfileBody>): Promise<UserView> {
    return userView((await this.account.updateProfile(body)).user);
  }

  @Delete()
  @HttpCode(204)
  @Access('user')
  @ApiOperation({
    summary: 'Delete the account of the caller',
    description:
      'The person is erased from all services; orders are kept without them, as the law asks for. See `POST /v1/me/erasure`.',
  })
  @Answers(204, 'The account is gone. Its access tokens open nothing in it, and expire within fifteen minutes.')
  @Fails({ ...ASKS_FOR_CODE_TOO, 404: ['USER_NOT_FOUND'], 409: ['LAST_ADMIN'] })
  async remove(@Body({ schema: deleteAccountBody }) body: z.infer<typeof deleteAccountBody>): Promise<void> {
    await this.account.deleteAccount(body);
  }

  @Put('password')
  @HttpCode(204)
  @Access('user')
  @ApiOperation({ summary: 'Change the password' })
  @Answers(204, 'The password is changed, and all other sessions have ended.')
  @Fails({
    ...ASKS_FOR_PASSWORD,
    400: ['INVALID_ARGUMENT', 'PASSWORD_TOO_WEAK', 'JSON_MALFORMED'],
    404: ['USER_NOT_FOUND'],
  })
  async changePassword(@Body({ schema: changePasswordBody }) body: z.infer<typeof changePasswordBody>): Promise<void> {
    await this.account.changePassword(body);
  }

  @Post('email-verification')
  @HttpCode(202)
  @Access('user')
  @ApiOperation({ summary: 'Ask for the link that proves the address once more' })
  @Answers(202, 'A mail is on its way, unless the address is proved already or has had too many mails.')
  @Fails({ 404: ['USER_NOT_FOUND'] })
  async requestEmailVerification(): Promise<void> {
    await this.account.requestEmailVerification({});
  }

  @Post('email-verification/confirm')
  @HttpCode(200)
  @Access('user')
  @ApiOperation({
    summary: 'Prove the address by the link of a mail',
    description:
      'From then on the address belongs to this account and to no other, and orders that were placed with it as a guest ' +
      'come to the account.',
  })
  @Answers(200, 'The account; the address is its own.', userSchema)
  @Fails({ 409: ['LINK_INVALID'] })
  async confirmEmailVerification(
    @Body({ schema: confirmLinkBody }) body: z.infer<typeof confirmLinkBody>,
  ): Promise<UserView> {
    return userView((await this.account.verifyEmail(body)).user);
  }

  @Post('email-change')
  @HttpCode(202)
  @Access('user')
  @ApiOperation({
    summary: 'Ask for another address',
    description: 'A link goes to the new address. The answer does not tell whether another account has it.',
  })
  @Answers(202, 'A mail is on its way to the new address.')
  @Fails({ ...ASKS_FOR_CODE_TOO, 404: ['USER_NOT_FOUND'] })
  async requestEmailChange(
    @Body({ schema: requestEmailChangeBody }) body: z.infer<typeof requestEmailChangeBody>,
  ): Promise<void> {
    await this.account.requestEmailChange(body);
  }

  @Post('email-change/confirm')
  @HttpCode(200)
  @Access('user')
  @ApiOperation({ summary: 'Prove the new address by the link of a mail' })
  @Answers(200, 'The account with the new address.', userSchema)
  @Fails({ 409: ['LINK_INVALID'] })
  async confirmEmailChange(
    @Body({ schema: confirmLinkBody }) body: z.infer<typeof confirmLinkBody>,
  ): Promise<UserView> {
    return userView((await this.account.confirmEmailChange(body)).user);
  }
}
