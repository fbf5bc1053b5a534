// What a service says of the personal data that it keeps. Guarantees nothing by itself: the service's own class does, which
// erases in such a way that a repetition, or a death at any moment followed by one, leaves the same.

/** Whose data is meant. */
export interface Subject {
  /** The account, or what stands for somebody who has none. */
  readonly subjectId: string;
  /** Empty where there is none, or it is forgotten already. */
  readonly email: string;
  /** Whatever bears the address is the person's. */
  readonly emailOwned: boolean;
  /** The person's orders that this call is about. */
  readonly orderIds: readonly string[];
}

/** A page of what is kept. */
export interface ExportedPage {
  readonly records: readonly { readonly kind: string; readonly value: object }[];
  readonly orderIds?: readonly string[];
  readonly nextPageToken?: string;
}

/** What became of one kind of records. */
export interface Treatment {
  readonly what: string;
  readonly action: 'REMOVED' | 'PSEUDONYMISED' | 'KEPT';
  readonly count: number;
  /** Why they were not removed. */
  readonly reason?: string;
}

/** A page of an erasure. */
export interface ErasedPage {
  readonly treatments: readonly Treatment[];
  /** Records that must wait. */
  readonly pending: number;
  readonly orderIds?: readonly string[];
  readonly nextPageToken?: string;
}

/** The personal data that a service keeps; each service provides its own. */
export abstract class PersonalData {
  abstract export(subject: Subject, pageToken: string): Promise<ExportedPage>;
  abstract erase(subject: Subject, pageToken: string): Promise<ErasedPage>;
}

/** Most orders that one call may be about. */
export const MOST_ORDER_IDS = 500;
