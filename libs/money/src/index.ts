export { addMoney, compareMoney, equalMoney, money, multiplyMoney, subtractMoney, sumMoney } from './money.js';
export type { Money } from './money.js';
export { formatMoney, minorDigits, parseDecimal, toDecimal } from './decimal.js';
