import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { SERVICES } from '../config.js';
import { ReadinessCheck } from '../readiness.js';
import { Access } from './access.js';
import { Answers } from './api-docs.js';

const aliveSchema = z.object({ status: z.literal('ok') }).meta({ id: 'Liveness' });

const readinessSchema = z
  .object({
    status: z.enum(['ready', 'not ready']),
    services: z.record(z.enum(SERVICES), z.enum(['serving', 'not serving'])),
  })
  .meta({ id: 'Readiness' });

/** For those who run the gateway. */
@ApiTags('Operations')
@Controller()
export class OperationsController {
  constructor(private readonly readiness: ReadinessCheck) {}

  @Get('livez')
  @Access('public')
  @ApiOperation({ summary: 'Whether the process is alive' })
  @Answers(200, 'It is.', aliveSchema)
  live(): z.infer<typeof aliveSchema> {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Access('public')
  @ApiOperation({ summary: 'Whether every service that the gateway needs answers' })
  @Answers(200, 'They do.', readinessSchema)
  @Answers(503, 'Some do not, or the gateway is about to stop.', readinessSchema)
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<z.infer<typeof readinessSchema>> {
    const { ready, services } = await this.readiness.check();
    void reply.status(ready ? 200 : 503);
    return { status: ready ? 'ready' : 'not ready', services };
  }
}
