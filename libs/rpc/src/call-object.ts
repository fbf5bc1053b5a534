// What a call is about, found by the names of fields in its request and its response. Only identifiers are taken, and the address
// where a person is known by nothing else; never what people write.

/** A thing that something was done to. */
export interface ObjectRef {
  readonly type: string;
  readonly id: string;
}

/** The first that is there is what the call is about: of an order that is made of a cart, the order. */
const OBJECTS: readonly (readonly [field: string, type: string])[] = [
  ['orderId', 'order'],
  ['clientId', 'client'],
  ['sessionId', 'session'],
  ['addressId', 'address'],
  ['userId', 'user'],
  ['importId', 'import'],
  ['cartId', 'cart'],
  ['product', 'product'],
  ['productId', 'product'],
  ['sku', 'sku'],
  ['email', 'email'],
];
const ROLE = /\/(Create|Update|Delete)Role$/;

export function objectOf(action: string, request: unknown, response: unknown): ObjectRef | undefined {
  const messages = [request, response].flatMap((message) => [message, ...nested(message)]).filter(isMessage);
  for (const [field, type] of OBJECTS) {
    const id = messages.map((message) => message[field]).find((value) => typeof value === 'string' && value !== '');
    if (typeof id === 'string') return { type, id };
  }
  const name = ROLE.test(action) && isMessage(request) ? request['name'] : undefined;
  return typeof name === 'string' ? { type: 'role', id: name } : undefined;
}

function nested(message: unknown): unknown[] {
  return isMessage(message) ? Object.values(message) : [];
}

function isMessage(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
