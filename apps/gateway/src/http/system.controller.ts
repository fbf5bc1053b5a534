import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { SystemView, type SystemInstance } from '../system.js';
import { Access } from './access.js';
import { Answers } from './api-docs.js';

const instanceSchema = z
  .object({
    service: z.string().meta({ description: 'Name of the service, such as `orders`.' }),
    instance: z.string().nullable().meta({ description: 'Name of the process; null where it has not registered.' }),
    address: z.string(),
    version: z.string().nullable(),
    state: z.enum(['starting', 'ready', 'draining']).nullable().meta({ description: 'What it says of itself.' }),
    connection: z
      .enum(['connecting', 'ready', 'silent', 'draining', 'failing'])
      .nullable()
      .meta({ description: 'How the gateway that answers finds it; null where it does not call it.' }),
    startTime: z.string().nullable().meta({ format: 'date-time' }),
  })
  .meta({ id: 'ServiceInstance' });

const servicesSchema = z
  .object({
    registry: z.enum(['live', 'stale', 'off']).meta({
      description:
        '`stale` while the registry cannot be reached and what was last known is shown, `off` where there is none.',
    }),
    items: z.array(instanceSchema),
  })
  .meta({ id: 'SystemServices' });

/** For those who run the shop. */
@ApiTags('Operations')
@Controller('v1/system')
export class SystemController {
  constructor(private readonly system: SystemView) {}

  @Get('services')
  @Access('operations:run')
  @ApiOperation({ summary: 'List the instances of all services, with their versions and states' })
  @Answers(200, 'Every instance that is known, by service.', servicesSchema)
  services(): z.infer<typeof servicesSchema> {
    return { registry: this.system.registryState, items: this.system.instances.map(instanceView) };
  }
}

function instanceView({ service, address, registered, seen }: SystemInstance): z.infer<typeof instanceSchema> {
  return {
    service,
    instance: registered?.instance ?? null,
    address,
    version: registered?.version ?? null,
    state: registered?.state ?? null,
    connection: seen ?? null,
    startTime: registered?.startedAt ?? null,
  };
}
