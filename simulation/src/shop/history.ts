/** What the customers saw: every key they used and every answer they got. */

export interface SeenOrder {
  readonly orderId: string;
  readonly number: string;
  readonly accessToken: string;
  readonly state: string;
}

/** One key of one customer: one wish, however often it was said. */
export interface Wish {
  readonly principal: string;
  readonly key: string;
  /** The cart that was to be ordered. */
  readonly cartId?: string | undefined;
  readonly answers: SeenOrder[];
  /** Why the shop refused it, finally. */
  refusal?: string;
}

export class History {
  readonly wishes: Wish[] = [];
  /** Orders whose cancellation was answered with the order called off. */
  readonly cancelled = new Set<string>();
  /** Units by SKU that the shop ever received, as staff counted them. */
  readonly received = new Map<string, number>();
}
