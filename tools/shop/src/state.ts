// What the tool remembers between two calls, in one file that only its owner can read: logins, the tokens of guests'
// orders, and the keys of writes that were not answered. Each change is written at once and whole.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from './settings.ts';

export interface Login {
  email: string;
  roles: string[];
  accessToken: string;
  refreshToken: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

interface Unanswered {
  key: string;
  since: number;
}

interface Remembered {
  logins: Record<string, Login>;
  orders: Record<string, string>;
  unanswered: Record<string, Unanswered>;
}

/** Keys are forgotten after this time: who does the same later means to do it again. */
const KEY_LIFETIME_MS = 24 * 60 * 60 * 1000;
const REMEMBERED_ORDERS = 200;

export class State {
  readonly #file: string;
  readonly #folder: string;

  constructor(dataDir: string) {
    this.#folder = dataDir;
    this.#file = join(dataDir, 'shop.json');
  }

  login(url: string): Login | undefined {
    return this.#read().logins[url];
  }

  /** Remembers a login, or forgets it. */
  setLogin(url: string, login: Login | undefined): void {
    this.#change((state) => {
      if (login) state.logins[url] = login;
      else delete state.logins[url];
    });
  }

  orderToken(orderId: string): string | undefined {
    return this.#read().orders[orderId];
  }

  setOrderToken(orderId: string, token: string): void {
    this.#change((state) => {
      const kept = Object.entries({ ...state.orders, [orderId]: token }).slice(-REMEMBERED_ORDERS);
      state.orders = Object.fromEntries(kept);
    });
  }

  /** The key of a write: the one it was sent with before, if no answer came then. */
  keyFor(write: string, now: number): { key: string; repeated: boolean } {
    const kept = this.#read().unanswered[write];
    if (kept && now - kept.since < KEY_LIFETIME_MS) return { key: kept.key, repeated: true };
    const key = crypto.randomUUID();
    this.#change((state) => (state.unanswered[write] = { key, since: now }));
    return { key, repeated: false };
  }

  answered(write: string): void {
    this.#change((state) => delete state.unanswered[write]);
  }

  #read(): Remembered {
    return { logins: {}, orders: {}, unanswered: {}, ...readJson<Partial<Remembered>>(this.#file) };
  }

  #change(change: (state: Remembered) => unknown): void {
    const state = this.#read();
    change(state);
    mkdirSync(this.#folder, { recursive: true });
    const unfinished = `${this.#file}.${process.pid}`;
    writeFileSync(unfinished, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
    renameSync(unfinished, this.#file);
  }
}
