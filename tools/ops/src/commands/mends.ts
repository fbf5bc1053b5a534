// orders, payments, stock, keys
import type { Command } from 'commander';
import { IdentityServiceService } from '@souk/proto/identity/v1';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
import { OrdersServiceService } from '@souk/proto/orders/v1';
import { PaymentsServiceService } from '@souk/proto/payments/v1';
import { table } from '@souk/shop/text';
import { timeText } from '../output.ts';
import type { Act, Work } from '../work.ts';

const MOST_PARKED = 100;

export function addMendCommands(program: Command, act: Act): void {
  const orders = program.command('orders').description('orders that wait for a person');
  orders.command('parked').description('list the orders whose saga was given up, oldest first').action(act(parked));
  withOrder(orders, 'resume', 'let a parked or unfinished order go on; undo once more what ended').action(act(resume));
  const payments = program.command('payments').description('the money of orders');
  withOrder(payments, 'sync', 'bring a payment to what the provider holds').action(act(syncPayment));
  const stock = program.command('stock').description('what is held for orders');
  withOrder(stock, 'release', 'set free what is held for an order that does not exist').action(act(releaseStock));
  program
    .command('keys')
    .description('the keys that sign access tokens')
    .command('rotate')
    .description('make the next key; nobody is logged out')
    .option('--compromised', 'a key was stolen: the next one signs at once and all others are withdrawn')
    .action(act(rotateKeys));
}

function withOrder(command: Command, name: string, description: string): Command {
  return command.command(name).description(description).argument('<order id>', 'identifier of the order');
}

function parked(): Work {
  return async ({ services, output }) => {
    const { orders, nextPageToken } = await services.ask('orders', OrdersServiceService, (client) =>
      client.listParkedOrders({ pageSize: MOST_PARKED, pageToken: '' }),
    );
    output.result(orders, () =>
      orders.length === 0
        ? 'No parked orders.'
        : table(orders, [
            { title: 'ORDER', value: ({ order }) => order?.orderId ?? '' },
            { title: 'STATE', value: ({ order }) => word(order?.state) },
            { title: 'PLACED', value: ({ order }) => timeText(order?.createTime) },
            { title: 'FAILURES', value: ({ failures }) => String(failures), align: 'right' },
            { title: 'ERROR', value: ({ error }) => error, max: 200 },
          ]),
    );
    if (nextPageToken) output.note('There are more than these: let them go on, and list again.');
    return orders.length === 0;
  };
}

function resume(orderId: string): Work {
  return async ({ services, output }) => {
    const { order } = await services.ask('orders', OrdersServiceService, (client) => client.resumeOrder({ orderId }));
    output.result(order, () => `Order ${orderId} is ${word(order?.state)} and goes on.`);
    return true;
  };
}

function syncPayment(orderId: string): Work {
  return async ({ services, output }) => {
    const { payment } = await services.ask('payments', PaymentsServiceService, (client) =>
      client.syncPayment({ orderId }),
    );
    output.result(payment, () => `The payment of order ${orderId} is ${word(payment?.state)}.`);
    return true;
  };
}

function releaseStock(orderId: string): Work {
  return async ({ services, output }) => {
    const hold = await services.ask('inventory', InventoryServiceService, (client) => client.releaseStock({ orderId }));
    output.result(hold, () => `The hold of order ${orderId} is ${word(hold.state)}.`);
    return true;
  };
}

function rotateKeys({ compromised = false }: { compromised?: boolean }): Work {
  return async ({ services, output }) => {
    const { keys } = await services.ask('identity', IdentityServiceService, (client) =>
      client.rotateSigningKeys({ compromised }),
    );
    output.result(keys, () =>
      table(keys, [
        { title: 'KEY', value: ({ keyId }) => keyId },
        { title: 'SIGNS FROM', value: ({ signTime }) => timeText(signTime) },
      ]),
    );
    return true;
  };
}

function word(state: string | undefined): string {
  return state?.replace('STATE_', '') ?? '';
}
