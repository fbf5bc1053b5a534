/** What became of the units that an order asked for. */
export type HoldState = 'HELD' | 'REFUSED' | 'RELEASED' | 'SOLD';

/** What a hold may begin as. RELEASED where an order was called off before its hold arrived. */
export const FIRST_HOLD_STATES: readonly HoldState[] = ['HELD', 'REFUSED', 'RELEASED'];

/** What a hold may become. SOLD becomes RELEASED when the units return to the shelf. */
export const HOLD_TRANSITIONS: Readonly<Record<HoldState, readonly HoldState[]>> = {
  HELD: ['RELEASED', 'SOLD'],
  SOLD: ['RELEASED'],
  REFUSED: [],
  RELEASED: [],
};

export function canBecome(from: HoldState, to: HoldState): boolean {
  return HOLD_TRANSITIONS[from].includes(to);
}
