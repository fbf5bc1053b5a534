import { invalid, type FieldViolation } from '@souk/errors';
import { sumPerSku } from './hold.js';
import type { StockLine } from './stock.js';

export const MAX_SKU_LENGTH = 100;
export const MAX_ID_LENGTH = 100;
export const MAX_UNITS = 1_000_000_000;
export const MAX_LINES = 500;
export const MAX_SKUS = 500;

const CONTROL_CHARACTER = /\p{Cc}/u;

/** @throws DomainError INVALID_ARGUMENT that names every wrong field; the same for the functions below */
export function checkSkus(skus: readonly string[], field = 'skus'): void {
  const tooMany = skus.length > MAX_SKUS ? [{ field, description: `at most ${MAX_SKUS} SKUs` }] : [];
  refuse([...tooMany, ...skus.flatMap((sku, index) => skuViolations(`${field}[${index}]`, sku))]);
}

export function checkSku(sku: string): void {
  refuse(skuViolations('sku', sku));
}

export function checkOrderId(orderId: string): void {
  refuse(idViolations('order_id', orderId));
}

export function checkHold({ orderId, lines }: { orderId: string; lines: readonly StockLine[] }): void {
  const count = lines.length < 1 || lines.length > MAX_LINES;
  refuse([
    ...idViolations('order_id', orderId),
    ...(count ? [{ field: 'lines', description: `1 to ${MAX_LINES} lines` }] : []),
    ...lines.flatMap(({ sku, quantity }, index) => [
      ...skuViolations(`lines[${index}].sku`, sku),
      ...unitViolations(`lines[${index}].quantity`, quantity, 1),
    ]),
    ...sumPerSku(lines)
      .filter(({ quantity }) => quantity > MAX_UNITS)
      .map(({ sku }) => ({ field: 'lines', description: `at most ${MAX_UNITS} units of ${sku}` })),
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

export function checkOpening({ sku, openingStock }: { sku: string; openingStock: number }): void {
  refuse([...skuViolations('sku', sku), ...unitViolations('opening_stock', openingStock, 0)]);
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
