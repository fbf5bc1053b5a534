/** Rows of the services' tables, as far as the invariants look at them. */
import type { World } from '../world.ts';

export interface OrderRow {
  order_id: string;
  number: string;
  state: 'PENDING' | 'CONFIRMED' | 'REJECTED' | 'CANCELLED' | 'FULFILLED' | 'REFUNDED';
  lines: { sku: string; quantity: number }[];
  total_amount: bigint;
  currency: string;
  payment_method: string;
  cart_id: string | null;
  version: number;
  claim_principal: string;
  claim_key: string;
  saga_phase: 'CHECKOUT' | 'UNDO' | 'DONE';
  saga_parked_at?: Date | null;
  saga_error: string | null;
}

export interface PaymentRow {
  payment_id: string;
  order_id: string;
  state: 'PROCESSING' | 'AUTHORIZED' | 'DECLINED' | 'CAPTURED' | 'VOIDED' | 'REFUNDED';
  method: 'card' | 'manual' | 'none';
  amount: bigint;
  currency: string;
  captured_amount: bigint;
  refunded_amount: bigint;
  version: number;
  next_try_at: Date | null;
}

export interface LedgerRow {
  payment_id: string;
  cause: string;
  amount: bigint;
}

export interface HoldRow {
  order_id: string;
  state: 'HELD' | 'REFUSED' | 'RELEASED' | 'SOLD';
  lines: { sku: string; quantity: number }[];
}

export interface CartHoldRow {
  cart_id: string;
  lines: { sku: string; quantity: number }[];
  expires_at: Date;
}

export interface StockRow {
  sku: string;
  on_hand: number;
  held: number;
  version: number;
}

export interface MovementRow {
  sku: string;
  kind: string;
  on_hand_delta: number;
  held_delta: number;
  cause: string;
}

export interface OutboxRow {
  id: string;
  type: string;
  aggregate_id: string;
  data: string;
  sent_at: Date | null;
}

export function rowsOf<R>(world: World, service: string, table: string): R[] {
  return world.database(service).rows(table) as unknown as R[];
}

/** Orders that are sold: what they are for has left the shelf, or is about to. */
export const SOLD_STATES: readonly OrderRow['state'][] = ['CONFIRMED', 'FULFILLED', 'REFUNDED'];
