/** Who comes to the shop in a run, and what there is to buy, drawn from its seed. */
import type { Random } from '../random.ts';
import type { BuyerPlan } from './buyer.ts';

export interface Opening {
  readonly stock: ReadonlyMap<string, number>;
  readonly buyers: readonly { readonly atMs: number; readonly plan: BuyerPlan }[];
}

/** Two at once already meet each other. */
const BUYERS = [1, 2, 2, 2, 3, 4];
const GOOD_CARDS = ['pm_card_visa', 'pm_card_mastercard'];
const BAD_CARDS = ['pm_card_chargeDeclined', 'pm_card_chargeDeclinedInsufficientFunds'];

export function drawOpening(random: Random): Opening {
  const skus = Array.from({ length: random.whole(1, 3) }, (_, index) => `SKU-${index + 1}`);
  const isScarce = random.chance(0.7);
  const stock = new Map(skus.map((sku) => [sku, isScarce ? random.whole(1, 4) : random.whole(20, 50)]));
  const comeTogether = random.chance(0.7);
  const buyers = Array.from({ length: random.pick(BUYERS) }, () => ({
    atMs: random.between(0, comeTogether ? 50 : 4_000),
    plan: drawPlan(random, skus),
  }));
  return { stock, buyers };
}

function drawPlan(random: Random, skus: readonly string[]): BuyerPlan {
  const maybe = (share: number, low: number, high: number) =>
    random.chance(share) ? random.between(low, high) : undefined;
  const byCard = random.chance(0.85);
  const usesCart = random.chance(0.35);
  return {
    userId: random.chance(0.6) ? userId(random.whole(1, 3)) : undefined,
    lines: Array.from({ length: random.whole(1, 3) }, () => ({ sku: random.pick(skus), quantity: random.whole(1, 2) })),
    payment: byCard ? { method: 'card', token: drawCard(random) } : { method: 'manual', token: '' },
    usesCart,
    holdsCart: usesCart && random.chance(0.5),
    doubleClicks: random.chance(0.3),
    secondTab: usesCart && random.chance(0.3),
    startsOver: usesCart && random.chance(0.5),
    patience: random.pick([1, 3, 12, 12]),
    cancelsAfterMs: maybe(0.3, 0, random.pick([100, 2_000, 12_000])),
    fulfilledAfterMs: maybe(0.2, 100, 8_000),
    refundedAfterMs: maybe(0.2, 100, 8_000),
  };
}

function drawCard(random: Random): string {
  return random.pick(random.chance(0.12) ? BAD_CARDS : GOOD_CARDS);
}

function userId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
}
