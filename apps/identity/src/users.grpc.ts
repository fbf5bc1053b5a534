import { Allow, subjectOf, userIdOf } from '@souk/auth';
import { DomainError, invalid } from '@souk/errors';
import {
  UsersServiceService,
  type AssignRolesRequest,
  type AssignRolesResponse,
  type CreateFirstAdminRequest,
  type CreateFirstAdminResponse,
  type ListUsersRequest,
  type ListUsersResponse,
  type ResetSecondFactorRequest,
  type ResetSecondFactorResponse,
  type RevokeUserSessionsRequest,
  type RevokeUserSessionsResponse,
} from '@souk/proto/identity/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { userNotFound } from './accounts/account-errors.js';
import { FirstAdmin } from './accounts/first-admin.js';
import { UsersStore, type User } from './accounts/users.store.js';
import { isUuid, toUser } from './identity.messages.js';
import { AssignRoles } from './roles/assign-roles.js';
import { PresentAuthority } from './roles/present-authority.js';
import { checkGrant } from './roles/role-rules.js';
import { RolesStore } from './roles/roles.store.js';
import { ChangeSecondFactor } from './second-factor/change-second-factor.js';
import { SessionsStore } from './sessions/sessions.store.js';

const PAGE = 50;
const PAGE_MAX = 100;

@RpcController(UsersServiceService)
export class UsersGrpc implements Handlers<typeof UsersServiceService> {
  constructor(
    private readonly users: UsersStore,
    private readonly sessions: SessionsStore,
    private readonly roles: RolesStore,
    private readonly authority: PresentAuthority,
    private readonly assigning: AssignRoles,
    private readonly changing: ChangeSecondFactor,
    private readonly firstAdmin: FirstAdmin,
  ) {}

  @Allow('users:read')
  async listUsers({ email, role, pageSize, pageToken }: ListUsersRequest): Promise<ListUsersResponse> {
    if (pageToken && !isUuid(pageToken))
      throw invalid([{ field: 'page_token', description: 'This is no page token.' }]);
    const limit = Math.min(pageSize > 0 ? pageSize : PAGE, PAGE_MAX);
    const users = await this.users.list({ email, role, after: pageToken, limit: limit + 1 });
    const page = users.slice(0, limit);
    return { users: page.map(toUser), nextPageToken: users.length > limit ? (page.at(-1)?.userId ?? '') : '' };
  }

  @Allow('roles:write')
  async assignRoles({ userId, roles }: AssignRolesRequest): Promise<AssignRolesResponse> {
    const giver = await this.authority.require(currentPrincipal(), 'roles:write');
    if (!isUuid(userId)) throw userNotFound();
    const by = subjectOf(currentPrincipal()) ?? '';
    return { user: toUser(await this.assigning.execute(giver, by, userId, roles)) };
  }

  @Allow('service:ops')
  async createFirstAdmin({ email, password }: CreateFirstAdminRequest): Promise<CreateFirstAdminResponse> {
    return { user: toUser(await this.firstAdmin.create({ email, password })) };
  }

  @Allow('users:write')
  async revokeUserSessions({ userId }: RevokeUserSessionsRequest): Promise<RevokeUserSessionsResponse> {
    const user = await this.lesserUser(userId);
    return { count: await this.sessions.endAll(user.userId) };
  }

  /** Not one's own: whoever has a stolen access token would be rid of the code. */
  @Allow('users:write')
  async resetSecondFactor({ userId }: ResetSecondFactorRequest): Promise<ResetSecondFactorResponse> {
    if (userId === userIdOf(currentPrincipal())) throw ownSecondFactor();
    const user = await this.lesserUser(userId);
    return { removed: await this.changing.removeOfOther(user.userId, subjectOf(currentPrincipal()) ?? '') };
  }

  /** An account that the caller may do something to: one that may do no more than they may. */
  private async lesserUser(userId: string): Promise<User> {
    const giver = await this.authority.require(currentPrincipal(), 'users:write');
    const user = isUuid(userId) ? await this.users.find(userId) : undefined;
    if (!user) throw userNotFound();
    checkGrant(giver, await this.roles.authorityOf(user.roles));
    return user;
  }
}

function ownSecondFactor(): DomainError {
  return new DomainError({
    kind: 'forbidden',
    reason: 'OWN_SECOND_FACTOR',
    message: 'Remove your own second factor by password and code, or ask somebody else in charge.',
  });
}
