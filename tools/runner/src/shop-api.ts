/** The few REST calls that the first start makes, against the gateway of this Souk. */
const TIMEOUT_MS = 15_000;

export interface ApiResponse {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface ApiRequest {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  /** An object is sent as JSON; a text as it is, with the content type among `headers`. */
  readonly body?: string | object;
}

export type ShopApi = (path: string, request?: ApiRequest) => Promise<ApiResponse>;

/** Calls the gateway at this address. Throws only when no answer comes. */
export function shopApi(baseUrl: string): ShopApi {
  return async (path, { method = 'GET', token, headers = {}, body } = {}) => {
    const response = await fetch(new URL(path, baseUrl), {
      method,
      headers: {
        ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      body: typeof body === 'object' ? JSON.stringify(body) : body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, body: parse(await response.text()) };
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not JSON: the text itself is what can be told.
    return { detail: text.slice(0, 200) };
  }
}

/** Throws what the answer says unless it has the expected status. */
export function expectStatus(response: ApiResponse, expected: number, what: string): Record<string, unknown> {
  if (response.status === expected) return response.body;
  const { detail, title } = response.body as { detail?: string; title?: string };
  throw new Error(`${what} answered ${response.status}${detail || title ? `: ${detail ?? title}` : ''}`);
}
