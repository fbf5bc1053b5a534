/** A cart as pure functions. It holds quantities alone; prices are those of the moment it is looked at. */
import type { Money } from '@souk/money';
import { cartFull } from './order-errors.js';
import { priceLine, totalOf, type Offer, type OrderLine, type Quantity } from './order-pricing.js';

/** Most lines of a cart and of an order. */
export const MAX_LINES = 100;

export interface Cart {
  readonly cartId: string;
  /** Customer it belongs to; undefined for a guest's. */
  readonly customerId?: string;
  readonly lines: readonly Quantity[];
  /** The order it became. */
  readonly orderId?: string;
  readonly version: number;
  readonly createTime: Date;
  readonly updateTime: Date;
}

/** A cart at the prices of the moment. */
export interface PricedCart extends Cart {
  readonly pricedLines: readonly OrderLine[];
  readonly total?: Money;
  readonly unavailableSkus: readonly string[];
}

export function newCart(cartId: string, customerId: string | undefined, now: Date): Cart {
  return { cartId, ...(customerId && { customerId }), lines: [], version: 1, createTime: now, updateTime: now };
}

/** Sets the quantity of one SKU; 0 takes its line out. Setting what is already set changes nothing. */
export function setLine(cart: Cart, sku: string, quantity: number, now: Date): Cart {
  const before = cart.lines.find((line) => line.sku === sku);
  if ((before?.quantity ?? 0) === quantity) return cart;
  const lines = changedLines(cart.lines, { sku, quantity }, before !== undefined);
  if (lines.length > MAX_LINES) throw cartFull(MAX_LINES);
  return { ...cart, lines, version: cart.version + 1, updateTime: now };
}

function changedLines(lines: readonly Quantity[], changed: Quantity, known: boolean): Quantity[] {
  if (changed.quantity === 0) return lines.filter((line) => line.sku !== changed.sku);
  if (!known) return [...lines, changed];
  return lines.map((line) => (line.sku === changed.sku ? changed : line));
}

export function priceCart(cart: Cart, offers: ReadonlyMap<string, Offer>): PricedCart {
  const pricedLines = cart.lines.flatMap(({ sku, quantity }) => {
    const offer = offers.get(sku);
    return offer ? [priceLine(offer, quantity)] : [];
  });
  const unavailableSkus = cart.lines.filter(({ sku }) => !offers.has(sku)).map(({ sku }) => sku);
  return { ...cart, pricedLines, unavailableSkus, ...(pricedLines.length > 0 && { total: totalOf(pricedLines) }) };
}
