// Souk's REST API. An answer that says no is a ProblemError, no answer is exit code 3; a login that runs out is renewed.
import { ProblemError, unreachable, type Problem } from './exit-codes.ts';
import type { Login, State } from './state.ts';

export interface Call {
  method?: 'GET' | 'POST' | 'PUT';
  json?: unknown;
  body?: Blob;
  headers?: Record<string, string>;
  /** Token to send instead of the login's; null sends none. */
  token?: string | null;
  timeoutMs?: number;
}

export interface Answer<T> {
  status: number;
  headers: Headers;
  data: T;
}

interface Session {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  user: { email: string; roles: string[] };
}

const TIMEOUT_MS = 30_000;
const RENEW_BEFORE_MS = 20_000;

export class Api {
  readonly url: string;
  readonly #state: State;

  constructor(url: string, state: State) {
    this.url = url;
    this.#state = state;
  }

  async get<T>(path: string, call: Call = {}): Promise<T> {
    return (await this.call<T>(path, call)).data;
  }

  async call<T>(path: string, call: Call = {}): Promise<Answer<T>> {
    const response = await this.open(path, call);
    const text = await this.#reaching(() => response.text());
    const data = parsed(text);
    if (!response.ok) throw new ProblemError(problemOf(response.status, data));
    return { status: response.status, headers: response.headers, data: data as T };
  }

  /** Sends a request and hands over the answer as it comes. A login that Souk no longer takes is renewed once. */
  async open(path: string, call: Call = {}): Promise<Response> {
    if (call.token !== undefined) return this.#send(path, call, call.token);
    const login = await this.#login();
    const response = await this.#send(path, call, login?.accessToken ?? null);
    if (response.status !== 401 || !login) return response;
    await response.body?.cancel();
    return this.#send(path, call, (await this.#renewed(login)).accessToken);
  }

  /** Opens a session; `remember` makes it the login of later calls. */
  async openSession(path: string, json: unknown, remember: boolean): Promise<Login> {
    const { data } = await this.call<Session>(path, { method: 'POST', json, token: null });
    const { accessToken, refreshToken, expiresIn, user } = data;
    const expiresAt = Date.now() + expiresIn * 1000;
    const login = { email: user.email, roles: user.roles, accessToken, refreshToken, expiresAt };
    if (remember) this.#state.setLogin(this.url, login);
    return login;
  }

  #send(path: string, call: Call, token: string | null): Promise<Response> {
    const headers = {
      accept: 'application/json',
      ...(call.json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...call.headers,
    };
    const body = (call.json === undefined ? call.body : JSON.stringify(call.json)) ?? null;
    const timeoutMs = call.timeoutMs ?? TIMEOUT_MS;
    const signal = Number.isFinite(timeoutMs) ? AbortSignal.timeout(timeoutMs) : null;
    return this.#reaching(() => fetch(this.url + path, { method: call.method ?? 'GET', headers, body, signal }));
  }

  async #login(): Promise<Login | undefined> {
    const login = this.#state.login(this.url);
    return login && login.expiresAt - RENEW_BEFORE_MS < Date.now() ? this.#renewed(login) : login;
  }

  async #renewed(login: Login): Promise<Login> {
    try {
      return await this.openSession('/v1/auth/refresh', { refreshToken: login.refreshToken }, true);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problem.status !== 401) throw error;
      // A second call of the tool may have renewed it meanwhile; each refresh token works once.
      const newer = this.#state.login(this.url);
      if (newer && newer.refreshToken !== login.refreshToken) return newer;
      this.#state.setLogin(this.url, undefined);
      throw new ProblemError({ status: 401, detail: 'The login has ended: log in again.', reason: 'SESSION_ENDED' });
    }
  }

  async #reaching<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // fetch reports what goes wrong on the way as TypeError, and its own time limit as TimeoutError.
      const lost = error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError');
      throw lost ? unreachable(this.url) : error;
    }
  }
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function problemOf(status: number, data: unknown): Problem {
  return typeof data === 'object' && data !== null ? { ...data, status } : { status };
}
