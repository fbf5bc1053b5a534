/**
 * One connection to one instance of a service. Where TLS is on, the server must show the certificate of the service that is
 * meant. It is made at once, and made again for as long as it is not closed.
 */
import { Client, connectivityState, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import type { Certificate, TlsFiles } from '../certificates.js';
import { namedService } from '../service-names.js';
import type { Address } from './resolver.js';

/** How to reach the instances of a service, and as whom. */
export interface ConnectionTarget {
  /** Name of the service at the address. */
  readonly service: string;
  /** Name of the calling service. */
  readonly caller: string;
  readonly tls?: TlsFiles;
}

const OPTIONS = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // A connection that is made anew is another one.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
};

export class Connection {
  readonly client: Client;
  private closed = false;
  private calls = 0;
  private retired = false;

  constructor(
    address: Address,
    service: string,
    /** None where TLS is off. */
    readonly certificate: Certificate | undefined,
    private readonly onChange: (connected: boolean) => void,
  ) {
    this.client = certificate
      ? new Client(address, secured(certificate, service), {
          ...OPTIONS,
          // The name in the handshake, which may not be an IP address.
          'grpc.ssl_target_name_override': service,
        })
      : new Client(address, credentials.createInsecure(), OPTIONS);
    // Not in here: whoever makes it must have it first.
    queueMicrotask(() => this.follow());
  }

  entered(): void {
    this.calls++;
  }

  left(): void {
    this.calls--;
    if (this.retired && this.calls === 0) this.close();
  }

  /** Closes once the calls under way have ended. */
  retire(): void {
    this.retired = true;
    if (this.calls === 0) this.close();
  }

  close(): void {
    this.closed = true;
    this.client.close();
  }

  private follow(): void {
    if (this.closed) return;
    const channel = this.client.getChannel();
    // Connects where it is not connected.
    const state = channel.getConnectivityState(true);
    this.onChange(state === connectivityState.READY);
    channel.watchConnectivityState(state, Infinity, () => this.follow());
  }
}

function secured({ ca, cert, key }: Certificate, service: string): ChannelCredentials {
  return credentials.createSsl(ca, key, cert, {
    checkServerIdentity: (_host, { subjectaltname }) => {
      const found = namedService(subjectaltname);
      if (found === service) return undefined;
      return new Error(`The server is ${found ? `the service ${found}` : 'no service of Souk'}, not ${service}.`);
    },
  });
}
