/** What a request for an order must look like, field by field; the names are those of the contract. */
import { invalid, type FieldViolation } from '@souk/errors';
import type { Money } from '@souk/money';
import { MAX_LINES } from './cart.js';
import type { Address, PaymentChoice } from './order.js';
import type { Quantity } from './order-pricing.js';

export const MAX_QUANTITY = 10_000;

export interface OrderInput {
  readonly requestId: string;
  readonly lines: readonly Quantity[];
  readonly cartId?: string;
  readonly email: string;
  readonly shippingAddress?: Address;
  readonly payment: PaymentChoice;
  /** What the buyer was shown; undefined where he takes the total as it is. */
  readonly expectedTotal?: Money;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const COUNTRY = /^[A-Z]{2}$/;
const CURRENCY = /^[A-Z]{3}$/;

/** @throws DomainError INVALID_ARGUMENT with one entry per wrong field */
export function checkOrderInput(input: OrderInput): asserts input is OrderInput & { shippingAddress: Address } {
  const violations = [
    ...checkRequestId(input.requestId),
    ...checkWhatToBuy(input),
    ...check('email', EMAIL.test(input.email) && input.email.length <= 254, 'must be an e-mail address'),
    ...checkAddress(input.shippingAddress),
    ...checkPayment(input.payment),
    ...checkExpectedTotal(input.expectedTotal),
  ];
  if (violations.length > 0) throw invalid(violations);
}

/** @throws DomainError INVALID_ARGUMENT */
export function checkCartLine(sku: string, quantity: number): void {
  const violations = [
    ...check('sku', sku !== '' && sku.length <= 100, 'must have 1 to 100 characters'),
    ...check('quantity', isWhole(quantity, 0, MAX_QUANTITY), `must be a whole number from 0 to ${MAX_QUANTITY}`),
  ];
  if (violations.length > 0) throw invalid(violations);
}

/** @throws DomainError INVALID_ARGUMENT for a key that is too long; it may be empty */
export function checkOptionalRequestId(requestId: string): void {
  const violations = check('request_id', requestId.length <= 255, 'must have at most 255 characters');
  if (violations.length > 0) throw invalid(violations);
}

/** @throws DomainError INVALID_ARGUMENT for what can't be an identifier */
export function checkUuid(field: string, value: string): void {
  const violations = check(field, UUID.test(value), 'must be a UUID');
  if (violations.length > 0) throw invalid(violations);
}

function checkRequestId(requestId: string): FieldViolation[] {
  return check('request_id', requestId !== '' && requestId.length <= 255, 'must have 1 to 255 characters');
}

function checkWhatToBuy({ lines, cartId }: OrderInput): FieldViolation[] {
  if (cartId !== undefined) {
    return [
      ...check('cart_id', UUID.test(cartId), 'must be a UUID'),
      ...check('lines', lines.length === 0, 'must be empty where cart_id is given'),
    ];
  }
  const count = check('lines', lines.length >= 1 && lines.length <= MAX_LINES, `must have 1 to ${MAX_LINES} entries`);
  const entries = lines.flatMap(({ sku, quantity }, index) => [
    ...check(`lines[${index}].sku`, sku !== '' && sku.length <= 100, 'must have 1 to 100 characters'),
    ...check(`lines[${index}].quantity`, isWhole(quantity, 1, MAX_QUANTITY), `must be from 1 to ${MAX_QUANTITY}`),
  ]);
  return [...count, ...entries];
}

function checkAddress(address: Address | undefined): FieldViolation[] {
  if (!address) return check('shipping_address', false, 'is missing');
  const needed = (['name', 'line1', 'city'] as const).flatMap((field) =>
    check(`shipping_address.${field}`, address[field].trim() !== '', 'is missing'),
  );
  const tooLong = (['name', 'line1', 'line2', 'city', 'region', 'postalCode'] as const).flatMap((field) =>
    check(
      `shipping_address.${field === 'postalCode' ? 'postal_code' : field}`,
      address[field].length <= 200,
      'is too long',
    ),
  );
  const country = check('shipping_address.country', COUNTRY.test(address.country), 'must be a code like DE');
  return [...needed, ...tooLong, ...country];
}

function checkPayment({ method, token }: OrderInput['payment']): FieldViolation[] {
  if (method !== 'card' && method !== 'manual') return check('payment.method', false, 'must be card or manual');
  return method === 'card'
    ? check('payment.token', token !== '' && token.length <= 255, 'must have 1 to 255 characters for a card')
    : check('payment.token', token === '', 'must be empty for manual');
}

function checkExpectedTotal(total: Money | undefined): FieldViolation[] {
  const isTotal = !total || (total.amount >= 0n && CURRENCY.test(total.currency));
  return check('expected_total', isTotal, 'must be an amount of 0 or more with a currency like USD');
}

function check(field: string, holds: boolean, description: string): FieldViolation[] {
  return holds ? [] : [{ field, description }];
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
