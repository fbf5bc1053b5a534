// Every name that telemetry uses, in one place: code that says another one does not compile.

/** What spans say, by OpenTelemetry's conventions where they have a name for it. */
export const ATTRIBUTES = [
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'server.address',
  'rpc.system.name',
  'rpc.method',
  'rpc.response.status_code',
  'db.system.name',
  'db.query.summary',
  'messaging.system',
  'messaging.operation.type',
  'messaging.destination.name',
  'messaging.consumer.group.name',
  'messaging.message.id',
  'souk.order.id',
  'souk.request.id',
] as const;

export type AttributeName = (typeof ATTRIBUTES)[number];
