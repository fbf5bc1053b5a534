import { z } from 'zod';

const STATES = ['starting', 'ready', 'draining'] as const;
export type RegisteredState = (typeof STATES)[number];

const schema = z.object({
  service: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/),
  instance: z.string().regex(/^[a-z0-9-]{1,80}$/),
  address: z.string().regex(/^[^\s,/]{1,255}:\d{1,5}$/),
  version: z.string().max(100),
  state: z.enum(STATES),
  startedAt: z.iso.datetime(),
});

/** What a process says of itself. */
export type RegisteredInstance = Readonly<z.infer<typeof schema>>;

/** @returns undefined for what is no such thing: anybody with NATS' credentials may have written it */
export function readInstance(text: string): RegisteredInstance | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
