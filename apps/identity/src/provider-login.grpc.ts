import { Allow } from '@souk/auth';
import {
  ProviderLoginServiceService,
  type BeginProviderLoginRequest,
  type BeginProviderLoginResponse,
  type CompleteProviderLoginRequest,
  type CompleteProviderLoginResponse,
} from '@souk/proto/identity/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { LogInByProvider } from './federation/log-in-by-provider.js';
import { deviceOf, toSession } from './identity.messages.js';

@RpcController(ProviderLoginServiceService)
export class ProviderLoginGrpc implements Handlers<typeof ProviderLoginServiceService> {
  constructor(private readonly loggingIn: LogInByProvider) {}

  @Allow('anyone')
  async beginProviderLogin({ device }: BeginProviderLoginRequest): Promise<BeginProviderLoginResponse> {
    return this.loggingIn.begin(deviceOf(device));
  }

  @Allow('anyone')
  async completeProviderLogin(request: CompleteProviderLoginRequest): Promise<CompleteProviderLoginResponse> {
    const { device, ...back } = request;
    return toSession(await this.loggingIn.complete(back, deviceOf(device)));
  }
}
