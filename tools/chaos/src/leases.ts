/** How long a process keeps what it works on for itself; one that is paused for longer must find that it lost it. */

/** Of a saga: short enough that a run of a minute and a half sees sagas change hands. */
export const SAGA_LEASE_MS = 6_000;
/** Of a payment: what payments itself has; it can't be set. */
export const PAYMENT_LEASE_MS = 20_000;
