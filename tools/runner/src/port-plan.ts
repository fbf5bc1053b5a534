/**
 * Which port each process listens on. Each has a variable of its own; PORT, given alone, moves all of them by the same
 * distance, so that two copies run side by side. All of them lie below the range out of which systems give ports to outgoing
 * connections (from 32768): there, a service's port may be taken by a connection that another service has just opened.
 */
import { StartupError } from '@souk/infra';

const STANDARD = {
  gateway: { variable: 'PORT', port: 3000 },
  identity: { variable: 'SOUK_IDENTITY_PORT', port: 15051 },
  catalog: { variable: 'SOUK_CATALOG_PORT', port: 15052 },
  inventory: { variable: 'SOUK_INVENTORY_PORT', port: 15053 },
  orders: { variable: 'SOUK_ORDERS_PORT', port: 15054 },
  payments: { variable: 'SOUK_PAYMENTS_PORT', port: 15055 },
  notifications: { variable: 'SOUK_NOTIFICATIONS_PORT', port: 15056 },
  'identity-management': { variable: 'SOUK_IDENTITY_MANAGEMENT_PORT', port: 15061 },
  'catalog-management': { variable: 'SOUK_CATALOG_MANAGEMENT_PORT', port: 15062 },
  'inventory-management': { variable: 'SOUK_INVENTORY_MANAGEMENT_PORT', port: 15063 },
  'orders-management': { variable: 'SOUK_ORDERS_MANAGEMENT_PORT', port: 15064 },
  'payments-management': { variable: 'SOUK_PAYMENTS_MANAGEMENT_PORT', port: 15065 },
  'notifications-management': { variable: 'SOUK_NOTIFICATIONS_MANAGEMENT_PORT', port: 15066 },
  'gateway-management': { variable: 'SOUK_GATEWAY_MANAGEMENT_PORT', port: 15067 },
  postgres: { variable: 'SOUK_POSTGRES_PORT', port: 15432 },
  nats: { variable: 'SOUK_NATS_PORT', port: 14222 },
  'sandbox-psp': { variable: 'SANDBOX_PSP_PORT', port: 12111 },
} as const;

export type PortName = keyof typeof STANDARD;
export type PortPlan = Readonly<Record<PortName, number>>;
const NAMES = Object.keys(STANDARD) as PortName[];

const LOWEST = 1024;
const HIGHEST_MOVED = 32767;
const HIGHEST = 65535;

/** The ports for this environment; throws a sentence for a value that is no port or one that is used twice. */
export function planPorts(env: NodeJS.ProcessEnv): PortPlan {
  const distance = (given('gateway', env) ?? STANDARD.gateway.port) - STANDARD.gateway.port;
  const entries = NAMES.map((name) => [name, given(name, env) ?? moved(STANDARD[name].port, distance)] as const);
  requireDistinct(entries);
  return Object.fromEntries(entries) as Record<PortName, number>;
}

function given(name: PortName, env: NodeJS.ProcessEnv): number | undefined {
  const { variable } = STANDARD[name];
  const text = env[variable];
  if (!text) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= HIGHEST) return port;
  throw new StartupError(`${variable}=${text} is no port: set it to a number from 1 to ${HIGHEST}.`);
}

/** Past the end of the range it goes on at its beginning: distinct ports stay distinct. */
function moved(port: number, distance: number): number {
  const count = HIGHEST_MOVED - LOWEST + 1;
  return LOWEST + ((((port + distance - LOWEST) % count) + count) % count);
}

function requireDistinct(entries: readonly (readonly [PortName, number])[]): void {
  for (const [name, port] of entries) {
    const other = entries.find(([otherName, otherPort]) => otherName !== name && otherPort === port)?.[0];
    if (other) {
      const [one, two] = [STANDARD[name].variable, STANDARD[other].variable];
      throw new StartupError(`${name} and ${other} would both use port ${port}: set ${one} or ${two} to another one.`);
    }
  }
}

/** What to tell when a port is taken by another program. */
export function takenPort(name: PortName, port: number): string {
  const { variable } = STANDARD[name];
  const cure =
    name === 'gateway'
      ? 'set PORT to another one (all other ports move by the same distance)'
      : `set ${variable} to another one, or PORT to move all of them`;
  return `Port ${port} (${name}) is taken by another program: stop that program, or ${cure}.`;
}
