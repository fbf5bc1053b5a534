import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { ROLES, type RolesClient } from '../clients.js';
import { Access } from './access.js';
import {
  createRoleBody,
  permissionListSchema,
  roleListSchema,
  roleParam,
  roleSchema,
  updateRoleBody,
} from './administration.schemas.js';
import { roleView, type RoleView } from './administration.view.js';
import { Answers, Fails } from './api-docs.js';

const OTHERS_ROLES = { 403: ['GRANT_TOO_WIDE'] };

/** What people of the shop may do. Nobody gives or takes what they do not have themselves. */
@ApiTags('Administration')
@Controller('v1')
export class RolesController {
  constructor(@Inject(ROLES) private readonly roles: RolesClient) {}

  @Get('permissions')
  @Access('roles:write', 'clients:write')
  @ApiOperation({ summary: 'List every permission there is' })
  @Answers(200, 'The permissions.', permissionListSchema)
  async permissions(): Promise<z.infer<typeof permissionListSchema>> {
    const { permissions } = await this.roles.listPermissions({});
    return { items: permissions.map(({ name, description }) => ({ name, description })) };
  }

  @Get('roles')
  @Access('roles:write', 'users:read')
  @ApiOperation({ summary: 'List the roles, those that every shop has first' })
  @Answers(200, 'All of them, about a hundred at most.', roleListSchema)
  async list(): Promise<z.infer<typeof roleListSchema>> {
    return { items: (await this.roles.listRoles({})).roles.map(roleView) };
  }

  @Post('roles')
  @Access('roles:write')
  @ApiOperation({ summary: 'Make a role' })
  @Answers(201, 'The role.', roleSchema, { Location: 'Address of the role.' })
  @Fails({ ...OTHERS_ROLES, 409: ['ROLE_EXISTS', 'ROLE_LIMIT'] })
  async create(
    @Body({ schema: createRoleBody }) body: z.infer<typeof createRoleBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RoleView> {
    const role = roleView((await this.roles.createRole(body)).role);
    void reply.header('location', `/v1/roles/${encodeURIComponent(role.name)}`);
    return role;
  }

  @Put('roles/:name')
  @Access('roles:write')
  @ApiOperation({
    summary: 'Replace what a role is made of',
    description: 'Whoever has it feels it with their next access token.',
  })
  @Answers(200, 'The role.', roleSchema)
  @Fails({ ...OTHERS_ROLES, 404: ['ROLE_NOT_FOUND'], 409: ['ROLE_BUILT_IN'] })
  async update(
    @Param('name', { schema: roleParam }) name: string,
    @Body({ schema: updateRoleBody }) { permissions }: z.infer<typeof updateRoleBody>,
  ): Promise<RoleView> {
    return roleView((await this.roles.updateRole({ name, permissions })).role);
  }

  @Delete('roles/:name')
  @HttpCode(204)
  @Access('roles:write')
  @ApiOperation({ summary: 'Delete a role that nobody has' })
  @Answers(204, 'There is no such role any more.')
  @Fails({ ...OTHERS_ROLES, 409: ['ROLE_BUILT_IN', 'ROLE_IN_USE'] })
  async remove(@Param('name', { schema: roleParam }) name: string): Promise<void> {
    await this.roles.deleteRole({ name });
  }
}
