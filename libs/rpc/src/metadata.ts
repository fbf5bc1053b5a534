/** Names of what travels with a call beside its message. */
export const METADATA = {
  /** Name of the Souk service that calls. */
  caller: 'souk-caller',
  /** Proof that the caller is a Souk service. */
  serviceToken: 'souk-service-token',
  /** `Bearer` and the access token of the person on whose behalf the call is made. */
  authorization: 'authorization',
  /** Address of whoever sent the first request; believed from Souk's own services alone. */
  source: 'souk-source',
  requestId: 'x-request-id',
  traceparent: 'traceparent',
  /** google.rpc.Status with the details of an error. */
  statusDetails: 'grpc-status-details-bin',
} as const;
