import { multiplyMoney, sumMoney, type Money } from '@souk/money';
import { cartEmpty, skuNotForSale, totalChanged } from './order-errors.js';

/** A number of units of a SKU. */
export interface Quantity {
  readonly sku: string;
  readonly quantity: number;
}

/** What the catalogue asks for a SKU now. */
export interface Offer {
  readonly sku: string;
  readonly title: string;
  readonly price: Money;
}

/** A position at the price of the moment. */
export interface OrderLine {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly unitPrice: Money;
  readonly total: Money;
}

/** Adds up quantities of the same SKU, in the order of their first mention. */
export function sumBySku(quantities: readonly Quantity[]): Quantity[] {
  const sums = new Map<string, number>();
  for (const { sku, quantity } of quantities) sums.set(sku, (sums.get(sku) ?? 0) + quantity);
  return [...sums].map(([sku, quantity]) => ({ sku, quantity }));
}

/** @throws DomainError SKU_NOT_FOR_SALE that names every SKU without an offer; CART_EMPTY for no lines at all */
export function priceLines(quantities: readonly Quantity[], offers: ReadonlyMap<string, Offer>): OrderLine[] {
  if (quantities.length === 0) throw cartEmpty();
  const missing = quantities.filter(({ sku }) => !offers.has(sku)).map(({ sku }) => sku);
  if (missing.length > 0) throw skuNotForSale(missing);
  return sumBySku(quantities).map(({ sku, quantity }) => priceLine(offers.get(sku) as Offer, quantity));
}

export function priceLine(offer: Offer, quantity: number): OrderLine {
  const { sku, title, price } = offer;
  return { sku, title, quantity, unitPrice: price, total: multiplyMoney(price, quantity) };
}

/** @throws DomainError CURRENCY_MISMATCH where the lines are of several currencies */
export function totalOf(lines: readonly OrderLine[]): Money {
  const [first] = lines;
  if (!first) throw cartEmpty();
  return sumMoney(
    lines.map((line) => line.total),
    first.total.currency,
  );
}

/**
 * What a buyer was shown is what he pays.
 * @throws DomainError TOTAL_CHANGED where the lines cost something else, whether prices changed or the cart did
 */
export function checkTotal(lines: readonly OrderLine[], expected: Money): void {
  const total = totalOf(lines);
  if (total.amount !== expected.amount || total.currency !== expected.currency) throw totalChanged(expected, total);
}
