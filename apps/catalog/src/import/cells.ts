// Readers of single cells. Each gives the value or throws a CellFault with the sentence that the merchant will read.
import { minorDigits, money, toDecimal, type Money } from '@souk/money';
import { LIMITS } from '../product-draft.js';

/** A cell that cannot be used; its row is rejected. */
export class CellFault extends Error {
  override readonly name = 'CellFault';
}

export function fail(reason: string): never {
  throw new CellFault(reason);
}

/** Reads `19.99` in the shop's currency; files carry no currency. */
export function readPrice(name: string, text: string, currency: string): Money {
  if (/^-/.test(text)) fail(`${name} is negative: ${quote(text)}.`);
  const match = /^(\d{1,15})(?:\.(\d+?)0*)?$/.exec(text);
  const digits = minorDigits(currency);
  const fraction = match?.[2] === '0' ? '' : (match?.[2] ?? '');
  if (!match?.[1]) fail(`${name} is not a number like 19.99: ${quote(text)}.`);
  if (fraction.length > digits) fail(`${name} has more than ${digits} digits after the point: ${quote(text)}.`);
  const price = money(BigInt(match[1] + fraction.padEnd(digits, '0')), currency);
  const most = { amount: LIMITS.amount, currency };
  if (price.amount > most.amount) fail(`${name} is more than ${toDecimal(most)}: ${quote(text)}.`);
  return price;
}

/** Reads how many are on hand; blank and negative (sold beyond stock) count as none. */
export function readQuantity(text: string): number {
  if (text === '') return 0;
  const match = /^([-+]?\d{1,15})(?:\.0*)?$/.exec(text);
  if (!match) fail(`Variant Inventory Qty is not a whole number: ${quote(text)}.`);
  return withinInt32('Variant Inventory Qty', Math.max(0, Number(match[1])), text);
}

export function readGrams(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,15}(\.\d*)?$/.test(text)) fail(`Variant Grams is not a number, or is negative: ${quote(text)}.`);
  return withinInt32('Variant Grams', Math.round(Number(text)), text);
}

export function readText(name: string, text: string, maxLength: number): string {
  if (text.length > maxLength) fail(`${name} is longer than ${maxLength} characters.`);
  return text;
}

/** Shopify marks numbers that a spreadsheet must not touch with an apostrophe. */
export function readCode(name: string, text: string, maxLength: number): string {
  return readText(name, text.replace(/^'/, '').replace(/\s+/g, ' '), maxLength);
}

export function quote(text: string): string {
  return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;
}

function withinInt32(name: string, value: number, text: string): number {
  if (value > LIMITS.int32) fail(`${name} is too large: ${quote(text)}.`);
  return value;
}
