import { handlersIn } from './handlers.ts';

const CODE = `
@RpcController(OrdersServiceService)
export class OrdersGrpc {
  @Allow('anyone', 'service:ops')
  placeOrder(request: PlaceOrderRequest) {}

  async getOrder(request: GetOrderRequest) {}

  @Allow(...RULES)
  listOrders() {}
}

export class Helper {
  @Allow('anyone')
  other() {}
}
`;

it('finds the methods of a controller and whether they have a rule', () => {
  expect(handlersIn('orders.grpc.ts', CODE)).toEqual([
    { service: 'OrdersService', method: 'placeOrder', rules: ['anyone', 'service:ops'] },
    { service: 'OrdersService', method: 'getOrder', rules: undefined },
    { service: 'OrdersService', method: 'listOrders', rules: undefined },
  ]);
});

it('finds nothing in a file without a controller', () => {
  expect(handlersIn('x.ts', 'export class X { y() {} }')).toEqual([]);
});
