import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ACCOUNT, PRIVACY, type AccountClient, type PrivacyRequestsClient } from '../clients.js';
import { Access, orderToken } from './access.js';
import { deleteAccountBody } from './account.schemas.js';
import { Answers, Fails } from './api-docs.js';
import { idSchema } from './fields.schemas.js';
import { nextCursorView, required } from './fields.view.js';
import { personalDataFile } from './personal-data-file.js';
import {
  erasurePageSchema,
  erasureSchema,
  exportSchema,
  listErasuresQuery,
  personBody,
  requestedErasureSchema,
} from './privacy.schemas.js';
import { erasureView, requestedErasureView, type ErasureView, type RequestedErasureView } from './privacy.view.js';

const FILE = { 'content-type': 'application/json', 'content-disposition': 'attachment; filename="personal-data.json"' };
const NO_STORE = { 'cache-control': 'no-store' };

/** Personal data over all services: all of it in one file, and its end. */
@ApiTags('Privacy')
@Controller('v1')
export class PrivacyController {
  constructor(
    @Inject(PRIVACY) private readonly privacy: PrivacyRequestsClient,
    @Inject(ACCOUNT) private readonly account: AccountClient,
  ) {}

  @Get('me/export')
  @Access('user')
  @ApiOperation({ summary: 'Take along all that the shop keeps of the caller', description: 'One JSON file.' })
  @ApiProduces('application/json')
  @Answers(200, 'The file. Where it breaks off it is no JSON: ask again.', exportSchema)
  @Fails({ 404: ['USER_NOT_FOUND'] })
  async exportMine(@Res({ passthrough: true }) reply: FastifyReply): Promise<AsyncGenerator<string>> {
    const file = await personalDataFile((pageToken) => this.privacy.exportMyData({ pageToken }));
    void reply.headers({ ...FILE, ...NO_STORE });
    return file;
  }

  @Post('me/erasure')
  @HttpCode(202)
  @Access('user')
  @ApiOperation({
    summary: 'Erase the caller from all services',
    description:
      'The account ends at once. Orders that are under way are erased when they have come to their end; money records stay, ' +
      'without the person. `DELETE /v1/me` does the same and shows no certificate.',
  })
  @Answers(202, 'The account is gone, and the rest follows.', requestedErasureSchema, {
    Location: 'Where to ask how far it is.',
  })
  @Fails({
    403: ['WRONG_PASSWORD', 'WRONG_CODE'],
    404: ['USER_NOT_FOUND'],
    409: ['LAST_ADMIN'],
    429: ['RATE_LIMITED', 'TOO_MANY_ATTEMPTS'],
  })
  async eraseMe(
    @Body({ schema: deleteAccountBody }) body: z.infer<typeof deleteAccountBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RequestedErasureView> {
    const access = await this.account.deleteAccount(body);
    const { erasure } = await this.privacy.getErasure(access);
    return accepted(requestedErasureView(required(erasure), access.accessToken), reply);
  }

  @Get('erasures/:id')
  @Access('anyone')
  @ApiOperation({
    summary: 'Read how far an erasure is, and its certificate',
    description: 'For who has its token, sent as the bearer token or as `?accessToken=`, and for `privacy:erase`.',
  })
  @Answers(200, 'The erasure.', erasureSchema)
  @Fails({ 404: ['ERASURE_NOT_FOUND'] })
  async getErasure(
    @Param('id', { schema: idSchema }) erasureId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ErasureView> {
    void reply.headers(NO_STORE);
    const { erasure } = await this.privacy.getErasure({ erasureId, accessToken: orderToken(request) });
    return erasureView(required(erasure));
  }

  @Get('erasures')
  @Access('privacy:erase')
  @ApiOperation({ summary: 'List erasures, newest first' })
  @Answers(200, 'A page of erasures.', erasurePageSchema)
  async list(
    @Query({ schema: listErasuresQuery }) { limit, cursor }: z.infer<typeof listErasuresQuery>,
  ): Promise<z.infer<typeof erasurePageSchema>> {
    const { erasures, nextPageToken } = await this.privacy.listErasures({ pageSize: limit, pageToken: cursor });
    return { items: erasures.map(erasureView), nextCursor: nextCursorView(nextPageToken) };
  }

  @Post('erasures')
  @HttpCode(202)
  @Access('privacy:erase')
  @ApiOperation({
    summary: 'Erase a customer, or a guest by the address, from all services',
    description: 'Whose account has other roles than `customer` is not erased before they are taken away.',
  })
  @Answers(
    202,
    'It is under way; the token is for the person, and absent where it was under way before.',
    requestedErasureSchema,
    {
      Location: 'Where to ask how far it is.',
    },
  )
  @Fails({ 404: ['USER_NOT_FOUND'], 409: ['STAFF_ACCOUNT'] })
  async erase(
    @Body({ schema: personBody }) { userId = '', email = '' }: z.infer<typeof personBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RequestedErasureView> {
    const { erasure, accessToken } = await this.privacy.requestErasure({ userId, email });
    return accepted(requestedErasureView(required(erasure), accessToken), reply);
  }

  @Post('erasures/:id/resume')
  @HttpCode(200)
  @Access('privacy:erase')
  @ApiOperation({ summary: 'Let an erasure go on that was given up' })
  @Answers(200, 'The erasure.', erasureSchema)
  @Fails({ 404: ['ERASURE_NOT_FOUND'] })
  async resume(@Param('id', { schema: idSchema }) erasureId: string): Promise<ErasureView> {
    return erasureView(required((await this.privacy.resumeErasure({ erasureId })).erasure));
  }

  @Post('personal-data/exports')
  @HttpCode(200)
  @Access('privacy:export')
  @ApiOperation({
    summary: 'Take along all that the shop keeps of a customer or a guest',
    description: 'One JSON file.',
  })
  @ApiProduces('application/json')
  @Answers(200, 'The file. Where it breaks off it is no JSON: ask again.', exportSchema)
  @Fails({ 404: ['USER_NOT_FOUND'] })
  async exportPerson(
    @Body({ schema: personBody }) { userId = '', email = '' }: z.infer<typeof personBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AsyncGenerator<string>> {
    const file = await personalDataFile((pageToken) => this.privacy.exportDataOfPerson({ userId, email, pageToken }));
    void reply.headers({ ...FILE, ...NO_STORE });
    return file;
  }
}

function accepted(view: RequestedErasureView, reply: FastifyReply): RequestedErasureView {
  void reply.headers({ location: view.statusUrl, ...NO_STORE });
  return view;
}
