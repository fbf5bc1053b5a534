import { VariantAdded } from '@souk/proto/catalog/v1';
import { OrderConfirmed } from '@souk/proto/orders/v1';
import { fixture } from '../test/fixture.js';
import { stockLevelChanged, toOpening, toSoldOrder } from './inventory.events.js';

const EVENT = '0199b1a2-6c1e-7d3a-9f42-000000000001';

describe('the events of inventory', () => {
  it('tell the level of a SKU as the fixture has it', () => {
    const event = stockLevelChanged({ sku: 'BRASS-LANTERN-S', onHand: 12, held: 5, version: 9 });
    expect(event).toEqual({
      type: 'souk.inventory.v1.StockLevelChanged',
      aggregateId: 'BRASS-LANTERN-S',
      data: fixture('souk.inventory.v1.StockLevelChanged'),
    });
  });

  it('read the opening stock from what catalog tells', () => {
    const data = VariantAdded.fromJSON(fixture('souk.catalog.v1.VariantAdded'));
    expect(toOpening({ id: EVENT, data })).toEqual({
      sku: data.sku,
      openingStock: data.openingStock,
      cause: EVENT,
    });
  });

  it('read the order from what orders tells', () => {
    const data = OrderConfirmed.fromJSON(fixture('souk.orders.v1.OrderConfirmed'));
    expect(toSoldOrder({ data })).toBe(data.order?.orderId);
  });

  it.each([{ openingStock: -1 }, { sku: '' }, { sku: 'x'.repeat(101) }, { openingStock: 1_000_000_001 }])(
    'refuse an opening that is none: %j',
    (wrong) => {
      const data = { ...VariantAdded.fromJSON(fixture('souk.catalog.v1.VariantAdded')), ...wrong };
      expect(() => toOpening({ id: EVENT, data })).toThrow();
    },
  );

  it('refuse a confirmed order without a name', () => {
    expect(() => toSoldOrder({ data: OrderConfirmed.fromJSON({}) })).toThrow('order_id');
  });
});
