import { Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { ORDERS, type OrdersClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails } from './api-docs.js';
import { claimedOrdersSchema } from './orders.schemas.js';

@ApiTags('Orders')
@Controller('v1/me/orders')
export class GuestOrdersController {
  constructor(@Inject(ORDERS) private readonly orders: OrdersClient) {}

  @Post('claim')
  @HttpCode(200)
  @Access('user')
  @ApiOperation({
    summary: "Take over the orders that were placed as a guest with the account's address",
    description:
      'The address must be proved. Orders from before the proof come by themselves, soon after it; this is for later ones, ' +
      'and for who does not want to wait. Repeating it changes nothing.',
  })
  @Answers(200, "They are among the caller's orders.", claimedOrdersSchema)
  @Fails({ 403: ['EMAIL_NOT_VERIFIED'] })
  async claim(): Promise<z.infer<typeof claimedOrdersSchema>> {
    return { claimed: (await this.orders.claimOrders({})).count };
  }
}
