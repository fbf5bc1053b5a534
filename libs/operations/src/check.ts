// Checks compare what a service keeps with what others keep. They find and tell; they change nothing.

/** Something that is not as it should be. */
export interface Finding {
  /** What it is about: an order, a payment, a SKU. A check tells of a subject once. */
  readonly subject: string;
  /** What is wrong, in a sentence. */
  readonly detail: string;
  /** Command that mends it, for example `npm run ops -- orders resume <order id>`; what people do where there is none. */
  readonly mend: string;
}

/** What one run of a check saw. */
export interface CheckResult {
  /** Things it compared. */
  readonly compared: number;
  /** At most 1,000; more are cut off. */
  readonly findings: readonly Finding[];
}

/** One comparison. It reads in pages, and may run for minutes; one replica runs it at a time. */
export interface Check {
  /** For example `orders-holds`. */
  readonly name: string;
  /** What throws is told as the run's error; what was found before stays. */
  run(): Promise<CheckResult>;
}

/** The checks of one service, besides those that every service has. */
export class Checks {
  constructor(readonly list: readonly Check[]) {}
}
