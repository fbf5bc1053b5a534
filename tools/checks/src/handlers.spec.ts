import { handlersIn } from './handlers.ts';

const CODE = `
@RpcController(OrdersServiceService)
export class OrdersGrpc {
  @Allow('anyone')
  placeOrder(request: PlaceOrderRequest) {}

  async getOrder(request: GetOrderRequest) {}
}

export class Helper {
  @Allow('anyone')
  other() {}
}
`;

it('finds the methods of a controller and whether they have a rule', () => {
  expect(handlersIn('orders.grpc.ts', CODE)).toEqual([
    { service: 'OrdersService', method: 'placeOrder', hasRule: true },
    { service: 'OrdersService', method: 'getOrder', hasRule: false },
  ]);
});

it('finds nothing in a file without a controller', () => {
  expect(handlersIn('x.ts', 'export class X { y() {} }')).toEqual([]);
});
