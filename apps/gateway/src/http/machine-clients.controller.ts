import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { MACHINE_CLIENTS, type MachineClientsClient } from '../clients.js';
import { Access } from './access.js';
import { clientListSchema, createClientBody, newSecretSchema } from './administration.schemas.js';
import { clientView, newSecretView, type NewSecretView } from './administration.view.js';
import { Answers, Fails } from './api-docs.js';
import { idSchema } from './fields.schemas.js';

/** Programs that call the shop by themselves. Nobody gives them what they do not have themselves. */
@ApiTags('Machine clients')
@Controller('v1/clients')
export class MachineClientsController {
  constructor(@Inject(MACHINE_CLIENTS) private readonly clients: MachineClientsClient) {}

  @Get()
  @Access('clients:write')
  @ApiOperation({ summary: 'List the clients, oldest first' })
  @Answers(200, 'All of them, two hundred at most.', clientListSchema)
  async list(): Promise<z.infer<typeof clientListSchema>> {
    return { items: (await this.clients.listClients({})).clients.map(clientView) };
  }

  @Post()
  @Access('clients:write')
  @ApiOperation({ summary: 'Make a client' })
  @Answers(201, 'The client, and its secret, which is shown here alone.', newSecretSchema)
  @Fails({ 403: ['GRANT_TOO_WIDE'], 409: ['CLIENT_LIMIT'] })
  async create(@Body({ schema: createClientBody }) body: z.infer<typeof createClientBody>): Promise<NewSecretView> {
    return newSecretView(await this.clients.createClient(body));
  }

  @Post(':id/secrets')
  @Access('clients:write')
  @ApiOperation({
    summary: 'Give a client another secret',
    description: 'The one before works until it is revoked, or replaced by yet another one.',
  })
  @Answers(201, 'The client, and its new secret, which is shown here alone.', newSecretSchema)
  @Fails({ 403: ['GRANT_TOO_WIDE'], 404: ['CLIENT_NOT_FOUND'] })
  async rotateSecret(@Param('id', { schema: idSchema }) clientId: string): Promise<NewSecretView> {
    return newSecretView(await this.clients.rotateClientSecret({ clientId }));
  }

  @Delete(':id/secrets/:secret')
  @HttpCode(204)
  @Access('clients:write')
  @ApiOperation({ summary: 'End a secret' })
  @Answers(204, 'It buys no more tokens. Those that it bought expire within fifteen minutes.')
  async revokeSecret(
    @Param('id', { schema: idSchema }) clientId: string,
    @Param('secret', { schema: idSchema }) secretId: string,
  ): Promise<void> {
    await this.clients.revokeClientSecret({ clientId, secretId });
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('clients:write')
  @ApiOperation({ summary: 'End a client with all of its secrets' })
  @Answers(204, 'It gets no more tokens. Those that it has expire within fifteen minutes.')
  async revoke(@Param('id', { schema: idSchema }) clientId: string): Promise<void> {
    await this.clients.revokeClient({ clientId });
  }
}
