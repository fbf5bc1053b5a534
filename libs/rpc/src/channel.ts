/**
 * The connections of one client. Where TLS is on, the server must show the certificate of the service that is meant. A
 * changed certificate of one's own gets new connections, for the calls from then on; calls under way end on the old ones.
 */
import { Client, credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { CertificateFiles, type Certificate, type TlsFiles } from './certificates.js';
import { namedService } from './service-names.js';

export interface ChannelTarget {
  readonly address: string;
  /** Name of the service at the address. */
  readonly service: string;
  /** Name of the calling service. */
  readonly caller: string;
  readonly tls?: TlsFiles;
}

interface Connections {
  readonly client: Client;
  /** None where TLS is off. */
  readonly certificate: Certificate | undefined;
  calls: number;
}

export class Channel {
  private readonly certificates: CertificateFiles | undefined;
  private present: Connections;
  private closed = false;

  constructor(
    private readonly target: ChannelTarget,
    private readonly options: ChannelOptions,
  ) {
    this.certificates = target.tls && CertificateFiles.of(target.tls, target.caller);
    this.present = this.connect();
  }

  /** Makes a call on the present connections. */
  async use<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const connections = this.upToDate();
    connections.calls++;
    try {
      return await call(connections.client);
    } finally {
      connections.calls--;
      if (connections !== this.present && connections.calls === 0) connections.client.close();
    }
  }

  close(): void {
    this.closed = true;
    this.present.client.close();
  }

  private upToDate(): Connections {
    const before = this.present;
    if (this.closed || before.certificate === this.certificates?.current) return before;
    this.present = this.connect();
    if (before.calls === 0) before.client.close();
    return this.present;
  }

  private connect(): Connections {
    const { address, service } = this.target;
    const certificate = this.certificates?.current;
    const client = certificate
      ? new Client(address, secured(certificate, service), {
          ...this.options,
          // The name in the handshake, which may not be an IP address.
          'grpc.ssl_target_name_override': service,
        })
      : new Client(address, credentials.createInsecure(), this.options);
    return { client, certificate, calls: 0 };
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
