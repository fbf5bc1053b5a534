import type { StockLine } from './domain/stock.js';

/** What may be asked about an order's hold. */
export type OrderCommand =
  | { readonly name: 'hold'; readonly orderId: string; readonly lines: readonly StockLine[]; readonly cartId?: string }
  | { readonly name: 'release' | 'sell'; readonly orderId: string };

/** What may be asked about a cart's hold. */
export type CartCommand =
  | {
      readonly name: 'holdCart';
      readonly cartId: string;
      readonly holdId: string;
      readonly lines: readonly StockLine[];
      readonly timeToLiveMs: number;
    }
  | { readonly name: 'releaseCart' | 'expireCart'; readonly cartId: string };

export type StockCommand = OrderCommand | CartCommand;
