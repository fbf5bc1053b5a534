import { Allow } from '@souk/auth';
import {
  ClientsServiceService,
  type Client as ClientMessage,
  type CreateClientRequest,
  type CreateClientResponse,
  type IssueClientTokenRequest,
  type IssueClientTokenResponse,
  type ListClientsResponse,
  type RevokeClientRequest,
  type RevokeClientResponse,
  type RevokeClientSecretRequest,
  type RevokeClientSecretResponse,
  type RotateClientSecretRequest,
  type RotateClientSecretResponse,
} from '@souk/proto/identity/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { checkName } from './accounts/account-rules.js';
import { clientNotFound, hashOfSecret, invalidClient, scopeOf, secretText } from './clients/client-rules.js';
import { ClientsStore, type Client } from './clients/clients.store.js';
import { isUuid } from './identity.messages.js';
import { PresentAuthority } from './roles/present-authority.js';
import { checkGrant, checkPermissions } from './roles/role-rules.js';
import { newSecretToken } from './secret-token.js';
import { ACCESS_TOKEN_SECONDS, AccessTokens } from './tokens/access-tokens.js';

@RpcController(ClientsServiceService)
export class ClientsGrpc implements Handlers<typeof ClientsServiceService> {
  constructor(
    private readonly clients: ClientsStore,
    private readonly accessTokens: AccessTokens,
    private readonly authority: PresentAuthority,
  ) {}

  @Allow('clients:write')
  async createClient(request: CreateClientRequest): Promise<CreateClientResponse> {
    const name = checkName(request.name);
    const permissions = checkPermissions(request.permissions);
    checkGrant(await this.giver(), { admin: false, permissions });
    const secret = newSecretToken();
    const client = await this.clients.create(name, permissions, secret.hash);
    return { client: toMessage(client), clientSecret: secretText(secret) };
  }

  @Allow('clients:write')
  async listClients(): Promise<ListClientsResponse> {
    return { clients: (await this.clients.list()).map(toMessage) };
  }

  /** Whoever has a client's secret has what it may do: nobody gets more by it than they have. */
  @Allow('clients:write')
  async rotateClientSecret({ clientId }: RotateClientSecretRequest): Promise<RotateClientSecretResponse> {
    const giver = await this.giver();
    const present = isUuid(clientId) ? await this.clients.find(clientId) : undefined;
    if (!present) throw clientNotFound();
    checkGrant(giver, { admin: false, permissions: present.permissions });
    const secret = newSecretToken();
    const client = await this.clients.addSecret(clientId, secret.hash);
    return { client: toMessage(client), clientSecret: secretText(secret) };
  }

  @Allow('clients:write')
  async revokeClientSecret({ clientId, secretId }: RevokeClientSecretRequest): Promise<RevokeClientSecretResponse> {
    await this.giver();
    if (isUuid(clientId) && isUuid(secretId)) await this.clients.deleteSecret(clientId, secretId);
    return {};
  }

  @Allow('clients:write')
  async revokeClient({ clientId }: RevokeClientRequest): Promise<RevokeClientResponse> {
    await this.giver();
    if (isUuid(clientId)) await this.clients.delete(clientId);
    return {};
  }

  @Allow('public')
  async issueClientToken(request: IssueClientTokenRequest): Promise<IssueClientTokenResponse> {
    const { clientId, clientSecret, scope } = request;
    const hash = hashOfSecret(clientSecret);
    const permissions = hash && isUuid(clientId) ? await this.clients.authenticate(clientId, hash) : undefined;
    if (!permissions) throw invalidClient();
    const granted = scopeOf(scope, permissions);
    const accessToken = await this.accessTokens.issueToClient(clientId, granted);
    return { accessToken, expiresIn: ACCESS_TOKEN_SECONDS, scope: granted.join(' ') };
  }

  private giver() {
    return this.authority.require(currentPrincipal(), 'clients:write');
  }
}

function toMessage({ clientId, name, permissions, secrets, createdAt, lastUsedAt }: Client): ClientMessage {
  return {
    clientId,
    name,
    permissions: [...permissions],
    secrets: secrets.map((secret) => ({
      secretId: secret.secretId,
      createTime: secret.createdAt,
      lastUseTime: secret.lastUsedAt,
    })),
    createTime: createdAt,
    lastUseTime: lastUsedAt,
  };
}
