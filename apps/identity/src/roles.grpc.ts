import { Allow, PERMISSIONS } from '@souk/auth';
import {
  RolesServiceService,
  type CreateRoleRequest,
  type CreateRoleResponse,
  type DeleteRoleRequest,
  type DeleteRoleResponse,
  type ListPermissionsResponse,
  type ListRolesResponse,
  type Role as RoleMessage,
  type UpdateRoleRequest,
  type UpdateRoleResponse,
} from '@souk/proto/identity/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { PresentAuthority } from './roles/present-authority.js';
import { checkGrant, checkPermissions, checkRoleName, refuseBuiltIn } from './roles/role-rules.js';
import { RolesStore, type Role } from './roles/roles.store.js';

@RpcController(RolesServiceService)
export class RolesGrpc implements Handlers<typeof RolesServiceService> {
  constructor(
    private readonly roles: RolesStore,
    private readonly authority: PresentAuthority,
  ) {}

  @Allow('roles:write', 'clients:write')
  async listPermissions(): Promise<ListPermissionsResponse> {
    const permissions = Object.entries(PERMISSIONS).map(([name, description]) => ({ name, description }));
    return { permissions };
  }

  @Allow('roles:write', 'users:read')
  async listRoles(): Promise<ListRolesResponse> {
    return { roles: (await this.roles.list()).map(toMessage) };
  }

  @Allow('roles:write')
  async createRole({ name, permissions: names }: CreateRoleRequest): Promise<CreateRoleResponse> {
    checkRoleName(name);
    const permissions = checkPermissions(names);
    checkGrant(await this.giver(), { admin: false, permissions });
    return { role: toMessage(await this.roles.create(name, permissions)) };
  }

  @Allow('roles:write')
  async updateRole({ name, permissions: names }: UpdateRoleRequest): Promise<UpdateRoleResponse> {
    refuseBuiltIn(name);
    const permissions = checkPermissions(names);
    const giver = await this.giver();
    checkGrant(giver, { admin: false, permissions });
    const role = await this.roles.update(name, permissions, (present) =>
      checkGrant(giver, { admin: false, ...present }),
    );
    return { role: toMessage(role) };
  }

  @Allow('roles:write')
  async deleteRole({ name }: DeleteRoleRequest): Promise<DeleteRoleResponse> {
    refuseBuiltIn(name);
    const giver = await this.giver();
    await this.roles.delete(name, (present) => checkGrant(giver, { admin: false, ...present }));
    return {};
  }

  private giver() {
    return this.authority.require(currentPrincipal(), 'roles:write');
  }
}

function toMessage({ name, permissions, builtIn, createdAt, updatedAt }: Role): RoleMessage {
  return { name, permissions: [...permissions], builtIn, createTime: createdAt, updateTime: updatedAt };
}
