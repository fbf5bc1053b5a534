import { Readable } from 'node:stream';
import { Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Import } from '@souk/proto/catalog/v1';
import { callContext } from '@souk/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CATALOG, type CatalogClient } from '../clients.js';
import type { GatewayConfig } from '../config.js';
import { CONFIG } from '../tokens.js';
import { Access } from './access.js';
import { Answers, Fails } from './api-docs.js';
import { unsupported, type BodyConfig } from './body-parsers.js';
import { idSchema } from './fields.schemas.js';
import { enumView, required, timeView } from './fields.view.js';
import { importAcceptedSchema, importSchema } from './imports.schemas.js';
import { checkAnnouncedSize, chunksOf } from './upload.js';

/** A large file over a slow line takes its time. */
const UPLOAD_TIMEOUT_MS = 10 * 60_000;

type ImportView = z.infer<typeof importSchema>;

@ApiTags('Catalogue')
@Controller('v1')
export class ImportsController {
  constructor(
    @Inject(CATALOG) private readonly catalog: CatalogClient,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  @Post('products/import')
  @HttpCode(202)
  @Access('catalog:write')
  @RouteConfig({ body: 'csv' } satisfies BodyConfig)
  @ApiOperation({ summary: "Import a product file in Shopify's CSV format" })
  @ApiConsumes('text/csv')
  @ApiBody({ schema: { type: 'string' }, description: 'The file.' })
  @Answers(202, 'The file is stored and will be imported.', importAcceptedSchema, {
    Location: 'Where to ask how far it is.',
  })
  @Fails({ 400: ['IMPORT_EMPTY', 'UPLOAD_ABORTED'], 413: ['IMPORT_TOO_LARGE'], 415: ['UNSUPPORTED_MEDIA_TYPE'] })
  async start(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof importAcceptedSchema>> {
    checkAnnouncedSize(request.headers, this.config.importMaxBytes);
    if (!(request.body instanceof Readable)) throw unsupported('text/csv');
    callContext().deadline = undefined;
    const answer = await this.catalog.importProducts(chunksOf(request.body, this.config.importMaxBytes), {
      timeoutMs: UPLOAD_TIMEOUT_MS,
    });
    const { importId } = required(answer.import);
    void reply.header('location', `/v1/imports/${importId}`);
    return { id: importId };
  }

  @Get('imports/:id')
  @Access('catalog:write')
  @ApiOperation({ summary: 'Read how far an import is' })
  @Answers(200, 'The import.', importSchema)
  @Fails({ 404: ['IMPORT_NOT_FOUND'] })
  async get(@Param('id', { schema: idSchema }) importId: string): Promise<ImportView> {
    const answer = await this.catalog.getImport({ importId });
    return importView(required(answer.import));
  }
}

function importView(stored: Import): ImportView {
  const { rows, imported, created, updated, variants, rejectedCount, rejected } = stored;
  return {
    id: stored.importId,
    state: enumView('STATE_', stored.state) as ImportView['state'],
    rows,
    imported,
    created,
    updated,
    variants,
    rejectedCount,
    rejected: rejected.map(({ row, reason }) => ({ row, reason })),
    sizeBytes: Number(stored.sizeBytes),
    readBytes: Number(stored.readBytes),
    createdAt: timeView(stored.createTime),
    ...(stored.endTime ? { endedAt: timeView(stored.endTime) } : {}),
  };
}
