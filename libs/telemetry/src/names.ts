// Every name that telemetry uses, in one place: code that says another one does not compile, and alert rules and dashboards
// that do are found by a check. A label has few values, all known in advance: never an id, an address or a text of errors.

interface Declaration {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly Label[];
}

/** By what metrics are told apart. */
export const LABELS = {
  cause: 'why something was done; a few names per metric',
  check: 'name of a check of the reconciliation',
  code: 'status of a gRPC call: OK, NOT_FOUND, ...',
  commit: 'of the source that was built',
  consumer: 'consumer of events: payments-OrderConfirmed',
  limit: 'name of a limit of the gateway: address, account, ...',
  method: 'HTTP method, or full name of a gRPC method',
  outcome: 'how something ended; a few names per metric',
  route: 'pattern of an address, with names in the place of ids',
  service: 'service that is called',
  source: 'service that publishes events',
  state: 'of a payment, a connection, ...',
  status: 'of an HTTP answer',
  version: 'of Souk',
  worker: 'name of a loop of background work',
} as const;

export type Label = keyof typeof LABELS;

/** Seconds have one set of buckets: from half a millisecond to ten seconds. */
export const METRICS = {
  souk_build_info: { type: 'gauge', help: 'Always 1; says by its labels what runs', labels: ['version', 'commit'] },
  souk_ready: { type: 'gauge', help: '1 while the process says that it is ready, otherwise 0', labels: [] },
  souk_nats_connected: { type: 'gauge', help: '1 while NATS can be reached, otherwise 0', labels: [] },
  souk_gateway_replicas: {
    type: 'gauge',
    help: 'Gateways that share their rate limits, this one included',
    labels: [],
  },
  souk_connections_cut_total: {
    type: 'counter',
    help: 'Connections that were refused or cut off, as too many or for not taking their answers',
    labels: ['outcome'],
  },
  souk_rate_limited_total: { type: 'counter', help: 'Requests that were refused, by limit', labels: ['limit'] },
  souk_http_request_duration_seconds: {
    type: 'histogram',
    help: 'How long requests took, by method, route and status',
    labels: ['method', 'route', 'status'],
  },
  rpc_server_duration_seconds: {
    type: 'histogram',
    help: 'How long calls took to answer, by method and status',
    labels: ['method', 'code'],
  },
  rpc_client_duration_seconds: {
    type: 'histogram',
    help: 'How long calls to others took, by method and status',
    labels: ['method', 'code'],
  },
  rpc_server_shed_total: {
    type: 'counter',
    help: 'Calls that were refused because there was too much to do',
    labels: ['cause'],
  },
  rpc_client_instances: {
    type: 'gauge',
    help: 'Known instances of a service, by their state as seen from here',
    labels: ['service', 'state'],
  },
  rpc_client_ejections_total: {
    type: 'counter',
    help: 'Times that an instance got no more calls, because it was silent or kept failing',
    labels: ['service', 'cause'],
  },
  rpc_client_refused_total: {
    type: 'counter',
    help: 'Calls that were not made, because the service was unavailable or had too many under way',
    labels: ['service', 'cause'],
  },
  rpc_client_retries_total: {
    type: 'counter',
    help: 'Calls that were made again, by what they had met',
    labels: ['service', 'cause'],
  },
  rpc_client_retries_forgone_total: {
    type: 'counter',
    help: 'Calls that were not made again, because too many were',
    labels: ['service'],
  },
  auth_tokens_total: {
    type: 'counter',
    help: 'Access tokens that were looked at; known ones are remembered, others are verified',
    labels: ['outcome'],
  },
  db_pool_connections: { type: 'gauge', help: 'Connections to the database, idle or busy', labels: ['state'] },
  db_pool_max: { type: 'gauge', help: 'Most connections that there may be', labels: [] },
  db_pool_waiting: { type: 'gauge', help: 'Work that waits for a connection', labels: [] },
  db_pool_wait_seconds: { type: 'histogram', help: 'How long work waited for a connection', labels: [] },
  worker_failures_total: { type: 'counter', help: 'Rounds of background work that failed', labels: ['worker'] },
  outbox_published_total: { type: 'counter', help: 'Events that the broker acknowledged', labels: ['source'] },
  outbox_stream_losses_total: {
    type: 'counter',
    help: 'Times the broker was seen to have lost events',
    labels: ['source'],
  },
  outbox_oldest_unsent_seconds: { type: 'gauge', help: 'Age of the oldest event that waits', labels: ['source'] },
  outbox_unsent: { type: 'gauge', help: 'Events that wait, up to 100000', labels: ['source'] },
  inbox_handled_total: { type: 'counter', help: 'Events handled for the first time', labels: ['consumer'] },
  inbox_pending: { type: 'gauge', help: 'Events that wait for the consumer', labels: ['consumer'] },
  inbox_dead_letters: { type: 'gauge', help: 'Events that were given up and lie there', labels: ['consumer'] },
  inbox_dead_letters_total: { type: 'counter', help: 'Events given up', labels: ['consumer'] },
  inbox_stalls_total: { type: 'counter', help: 'Times that a consumer did not move', labels: ['consumer'] },
  reconciliation_differences: { type: 'gauge', help: 'Differences that the last run found', labels: ['check'] },
  reconciliation_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the check was last finished (Unix time)',
    labels: ['check'],
  },
  audit_head_sequence: { type: 'gauge', help: 'Newest record of who did what, by its place in the chain', labels: [] },
  audit_records_waiting: { type: 'gauge', help: 'Records of who did what that are not kept yet', labels: [] },
  audit_records_lost_total: { type: 'counter', help: 'Records of who did what that could not be kept', labels: [] },
  password_hashes_total: {
    type: 'counter',
    help: 'Passwords that were hashed or compared with a hash',
    labels: [],
  },
  inventory_holds_total: {
    type: 'counter',
    help: 'Answers to orders that asked for stock, by what their hold was then',
    labels: ['outcome'],
  },
  inventory_cart_holds_expired_total: {
    type: 'counter',
    help: 'Carts whose hold was ended by its time',
    labels: [],
  },
  orders_saga_duration_seconds: {
    type: 'histogram',
    help: 'How long a run of a saga took, by the state that the order had then, or put_off',
    labels: ['outcome'],
  },
  orders_sagas_parked_total: {
    type: 'counter',
    help: 'How often a saga was given up to wait for a person',
    labels: [],
  },
  orders_sagas_parked: { type: 'gauge', help: 'Sagas that wait for a person now', labels: [] },
  orders_saga_oldest_seconds: {
    type: 'gauge',
    help: 'Seconds since the order last changed whose saga is unfinished for the longest, parked ones aside',
    labels: [],
  },
  payments_provider_duration_seconds: {
    type: 'histogram',
    help: 'How long calls to the payment provider took, by route and status; "none" where no answer came',
    labels: ['route', 'status'],
  },
  payments_unsettled: {
    type: 'gauge',
    help: 'Payments that wait for a step; PROCESSING where nobody knows yet whether they were authorised',
    labels: ['state'],
  },
  payments_settlement_failures_total: {
    type: 'counter',
    help: 'Background steps that failed for a reason of our own',
    labels: [],
  },
  payments_missing_total: {
    type: 'counter',
    help: 'Orders whose money was wanted and that have no payment',
    labels: [],
  },
  payments_webhooks_total: {
    type: 'counter',
    help: 'Notices of the provider that were acted on',
    labels: ['outcome'],
  },
  payments_disputes_total: {
    type: 'counter',
    help: "Times that a customer's bank took money back",
    labels: [],
  },
  mails_total: { type: 'counter', help: 'Mails that were handed over, put off or given up', labels: ['outcome'] },
} as const satisfies Readonly<Record<string, Declaration>>;

export type MetricName = keyof typeof METRICS;

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
