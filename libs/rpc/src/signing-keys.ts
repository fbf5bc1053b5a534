import { IdentityServiceService } from '@souk/proto/identity/v1';
import type { KeySource } from '@souk/auth';
import type { JWK } from 'jose';
import { rpcClient, type RpcClientOptions } from './client.js';

type IdentityAddress = Pick<RpcClientOptions<never>, 'address' | 'caller' | 'serviceToken' | 'tls'>;

/** The keys that identity publishes, fetched over gRPC. */
export function identityKeys(options: IdentityAddress): KeySource {
  const identity = rpcClient(IdentityServiceService, options);
  return async () => {
    const { keys } = await identity.listSigningKeys({});
    return keys.map(({ keyId, jwk }) => ({ ...(JSON.parse(jwk) as JWK), kid: keyId }));
  };
}
