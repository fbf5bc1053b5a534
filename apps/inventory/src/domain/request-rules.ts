import { invalid, type FieldViolation } from '@souk/errors';
import { sumPerSku } from './shelf.js';
import { MAX_UNITS, type StockLine } from './stock.js';

export const MAX_SKU_LENGTH = 100;
export const MAX_ID_LENGTH = 100;
export const MAX_LINES = 500;
export const MAX_SKUS = 500;
export const MAX_ORDERS = 500;
export const MAX_REASON_LENGTH = 200;
export const MIN_CART_MS = 1_000;
export const MAX_CART_MS = 3_600_000;

const CONTROL_CHARACTER = /\p{Cc}/u;

/** @throws DomainError INVALID_ARGUMENT that names every wrong field; the same for the functions below */
export function checkSkus(skus: readonly string[], field = 'skus'): void {
  const tooMany = skus.length > MAX_SKUS ? [{ field, description: `at most ${MAX_SKUS} SKUs` }] : [];
  refuse([...tooMany, ...skus.flatMap((sku, index) => skuViolations(`${field}[${index}]`, sku))]);
}

export function checkSku(sku: string): void {
  refuse(skuViolations('sku', sku));
}

export function checkOrderId(orderId: string, field = 'order_id'): void {
  refuse(idViolations(field, orderId));
}

export function checkOrderIds(orderIds: readonly string[]): void {
  const tooMany = orderIds.length > MAX_ORDERS ? [{ field: 'order_ids', description: `at most ${MAX_ORDERS}` }] : [];
  refuse([...tooMany, ...orderIds.flatMap((orderId, index) => idViolations(`order_ids[${index}]`, orderId))]);
}

export function checkCartId(cartId: string): void {
  refuse(idViolations('cart_id', cartId));
}

export function checkHold(hold: { orderId: string; lines: readonly StockLine[]; cartId: string }): void {
  refuse([
    ...idViolations('order_id', hold.orderId),
    ...lineViolations(hold.lines),
    ...(hold.cartId === '' ? [] : idViolations('cart_id', hold.cartId)),
  ]);
}

export function checkCartHold(hold: { cartId: string; lines: readonly StockLine[]; timeToLiveMs: number }): void {
  const seconds = `${MIN_CART_MS / 1_000} to ${MAX_CART_MS / 1_000} seconds`;
  const lives = hold.timeToLiveMs >= MIN_CART_MS && hold.timeToLiveMs <= MAX_CART_MS;
  refuse([
    ...idViolations('cart_id', hold.cartId),
    ...lineViolations(hold.lines),
    ...(lives ? [] : [{ field: 'time_to_live', description: seconds }]),
  ]);
}

export function checkCount(count: { sku: string; onHand: number; expectedVersion: number; requestId: string }): void {
  refuse([
    ...skuViolations('sku', count.sku),
    ...unitViolations('on_hand', count.onHand, 0),
    ...(count.expectedVersion < 0 ? [{ field: 'expected_version', description: 'must not be negative' }] : []),
    ...(count.requestId === '' ? [] : idViolations('request_id', count.requestId)),
  ]);
}

export function checkAdjustment(adjustment: { sku: string; delta: number; reason: string; requestId: string }): void {
  const { sku, delta, reason, requestId } = adjustment;
  refuse([
    ...skuViolations('sku', sku),
    ...(delta === 0 ? [{ field: 'delta', description: 'must not be 0' }] : unitViolations('delta', delta, -MAX_UNITS)),
    ...(reason === '' ? [] : textViolations('reason', reason, MAX_REASON_LENGTH)),
    ...idViolations('request_id', requestId),
  ]);
}

export function checkOpening({ sku, openingStock }: { sku: string; openingStock: number }): void {
  refuse([...skuViolations('sku', sku), ...unitViolations('opening_stock', openingStock, 0)]);
}

function lineViolations(lines: readonly StockLine[]): FieldViolation[] {
  const count = lines.length < 1 || lines.length > MAX_LINES;
  return [
    ...(count ? [{ field: 'lines', description: `1 to ${MAX_LINES} lines` }] : []),
    ...lines.flatMap(({ sku, quantity }, index) => [
      ...skuViolations(`lines[${index}].sku`, sku),
      ...unitViolations(`lines[${index}].quantity`, quantity, 1),
    ]),
    ...sumPerSku(lines)
      .filter(({ quantity }) => quantity > MAX_UNITS)
      .map(({ sku }) => ({ field: 'lines', description: `at most ${MAX_UNITS} units of ${sku}` })),
  ];
}

function skuViolations(field: string, sku: string): FieldViolation[] {
  return textViolations(field, sku, MAX_SKU_LENGTH);
}

function idViolations(field: string, id: string): FieldViolation[] {
  return textViolations(field, id, MAX_ID_LENGTH);
}

function textViolations(field: string, text: string, maxLength: number): FieldViolation[] {
  if (text.length < 1 || text.length > maxLength) return [{ field, description: `1 to ${maxLength} characters` }];
  return CONTROL_CHARACTER.test(text) ? [{ field, description: 'must not have control characters' }] : [];
}

function unitViolations(field: string, units: number, min: number): FieldViolation[] {
  return units < min || units > MAX_UNITS ? [{ field, description: `${min} to ${MAX_UNITS}` }] : [];
}

function refuse(violations: FieldViolation[]): void {
  if (violations.length > 0) throw invalid(violations);
}
