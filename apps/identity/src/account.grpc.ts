import { Allow } from '@souk/auth';
import {
  AccountServiceService,
  type ChangePasswordRequest,
  type ChangePasswordResponse,
  type ConfirmEmailChangeRequest,
  type ConfirmEmailChangeResponse,
  type DeleteAccountRequest,
  type DeleteAccountResponse,
  type RequestEmailChangeRequest,
  type RequestEmailChangeResponse,
  type RequestEmailVerificationResponse,
  type UpdateProfileRequest,
  type UpdateProfileResponse,
  type VerifyEmailRequest,
  type VerifyEmailResponse,
} from '@souk/proto/identity/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { userNotFound } from './accounts/account-errors.js';
import { checkName } from './accounts/account-rules.js';
import { ConfirmEmailChange } from './accounts/confirm-email-change.js';
import { DeleteAccount } from './accounts/delete-account.js';
import { RequestEmailChange } from './accounts/request-email-change.js';
import { RequestEmailVerification } from './accounts/request-email-verification.js';
import { UsersStore } from './accounts/users.store.js';
import { VerifyEmail } from './accounts/verify-email.js';
import { caller, toUser } from './identity.messages.js';
import { ChangePassword } from './passwords/change-password.js';

@RpcController(AccountServiceService)
export class AccountGrpc implements Handlers<typeof AccountServiceService> {
  constructor(
    private readonly users: UsersStore,
    private readonly requestingVerification: RequestEmailVerification,
    private readonly verifying: VerifyEmail,
    private readonly requestingChange: RequestEmailChange,
    private readonly confirmingChange: ConfirmEmailChange,
    private readonly changingPassword: ChangePassword,
    private readonly deleting: DeleteAccount,
  ) {}

  @Allow('user')
  async requestEmailVerification(): Promise<RequestEmailVerificationResponse> {
    await this.requestingVerification.execute(caller().userId);
    return {};
  }

  @Allow('user')
  async verifyEmail({ token }: VerifyEmailRequest): Promise<VerifyEmailResponse> {
    return { user: toUser(await this.verifying.execute(caller().userId, token)) };
  }

  @Allow('user')
  async requestEmailChange(request: RequestEmailChangeRequest): Promise<RequestEmailChangeResponse> {
    const { email, password, code } = request;
    await this.requestingChange.execute(caller().userId, email, password, code);
    return {};
  }

  @Allow('user')
  async confirmEmailChange({ token }: ConfirmEmailChangeRequest): Promise<ConfirmEmailChangeResponse> {
    return { user: toUser(await this.confirmingChange.execute(caller().userId, token)) };
  }

  @Allow('user')
  async updateProfile({ name }: UpdateProfileRequest): Promise<UpdateProfileResponse> {
    const user = await this.users.rename(caller().userId, checkName(name));
    if (!user) throw userNotFound();
    return { user: toUser(user) };
  }

  @Allow('user')
  async changePassword({ password, newPassword }: ChangePasswordRequest): Promise<ChangePasswordResponse> {
    await this.changingPassword.execute(caller(), password, newPassword);
    return {};
  }

  @Allow('user')
  async deleteAccount({ password, code }: DeleteAccountRequest): Promise<DeleteAccountResponse> {
    return this.deleting.execute(caller().userId, password, code);
  }
}
