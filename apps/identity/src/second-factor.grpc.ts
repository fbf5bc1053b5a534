import { Allow } from '@souk/auth';
import {
  SecondFactorServiceService,
  type BeginSecondFactorRequest,
  type BeginSecondFactorResponse,
  type ConfirmSecondFactorRequest,
  type ConfirmSecondFactorResponse,
  type GetSecondFactorResponse,
  type RemoveSecondFactorRequest,
  type RemoveSecondFactorResponse,
  type RenewRecoveryCodesRequest,
  type RenewRecoveryCodesResponse,
} from '@souk/proto/identity/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { userNotFound } from './accounts/account-errors.js';
import { UsersStore } from './accounts/users.store.js';
import { caller, enrollee } from './identity.messages.js';
import { Enrol } from './second-factor/enrol.js';
import { ChangeSecondFactor } from './second-factor/change-second-factor.js';
import { SecondFactorsStore } from './second-factor/second-factors.store.js';
import { AccessTokens } from './tokens/access-tokens.js';

@RpcController(SecondFactorServiceService)
export class SecondFactorGrpc implements Handlers<typeof SecondFactorServiceService> {
  constructor(
    private readonly users: UsersStore,
    private readonly secondFactors: SecondFactorsStore,
    private readonly accessTokens: AccessTokens,
    private readonly enrolling: Enrol,
    private readonly changing: ChangeSecondFactor,
  ) {}

  @Allow('user', 'enrolling')
  async getSecondFactor(): Promise<GetSecondFactorResponse> {
    const { userId } = enrollee();
    const [user, found] = await Promise.all([this.users.find(userId), this.secondFactors.find(userId)]);
    if (!user) throw userNotFound();
    return {
      enabled: found !== undefined,
      required: this.accessTokens.requiresSecondFactor(user),
      recoveryCodesLeft: found?.recoveryCodesLeft ?? 0,
      confirmTime: found?.confirmedAt,
    };
  }

  @Allow('user', 'enrolling')
  async beginSecondFactor({ password }: BeginSecondFactorRequest): Promise<BeginSecondFactorResponse> {
    return this.enrolling.begin(enrollee().userId, password);
  }

  @Allow('user', 'enrolling')
  async confirmSecondFactor({ code }: ConfirmSecondFactorRequest): Promise<ConfirmSecondFactorResponse> {
    return { recoveryCodes: await this.enrolling.confirm(enrollee(), code) };
  }

  @Allow('user')
  async renewRecoveryCodes({ password, code }: RenewRecoveryCodesRequest): Promise<RenewRecoveryCodesResponse> {
    return { recoveryCodes: await this.changing.renewRecoveryCodes(caller().userId, password, code) };
  }

  @Allow('user')
  async removeSecondFactor({ password, code }: RemoveSecondFactorRequest): Promise<RemoveSecondFactorResponse> {
    await this.changing.removeOwn(caller().userId, password, code);
    return {};
  }
}
