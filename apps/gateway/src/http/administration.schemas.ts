import { z } from 'zod';
import { userSchema } from './auth.schemas.js';
import { emailSchema, idSchema, nextCursorSchema, pageQuery, timeSchema } from './fields.schemas.js';

const MOST_PERMISSIONS = 100;

const permissionsSchema = z
  .array(z.string().max(100))
  .max(MOST_PERMISSIONS)
  .meta({ description: 'Names of permissions.', example: ['orders:read', 'orders:refund'] });

const roleNameSchema = z
  .string()
  .min(1)
  .max(40)
  .meta({ description: 'Small letters, digits and hyphens; begins with a letter.', example: 'support' });

const nameOfClient = z
  .string()
  .min(1)
  .max(100)
  .meta({ description: 'What people call the program.', example: 'Warehouse' });

export const permissionListSchema = z
  .object({
    items: z.array(
      z.object({
        name: z.string().meta({ example: 'orders:refund' }),
        description: z.string().meta({ description: 'What it opens, in words.', example: 'Give money back' }),
      }),
    ),
  })
  .meta({ id: 'Permissions' });

export const createRoleBody = z
  .strictObject({ name: roleNameSchema, permissions: permissionsSchema })
  .meta({ id: 'CreateRoleRequest' });

export const updateRoleBody = z.strictObject({ permissions: permissionsSchema }).meta({ id: 'UpdateRoleRequest' });

export const roleParam = roleNameSchema;

export const roleSchema = z
  .object({
    name: roleNameSchema,
    permissions: permissionsSchema,
    builtIn: z.boolean().meta({ description: 'Whether every shop has it, and nobody can change it.' }),
    createdAt: timeSchema.optional().meta({ description: 'Absent for a built-in role.' }),
    updatedAt: timeSchema.optional().meta({ description: 'Absent for a built-in role.' }),
  })
  .meta({ id: 'Role', description: 'A name for several permissions.' });

export const roleListSchema = z.object({ items: z.array(roleSchema) }).meta({ id: 'Roles' });

export const listUsersQuery = pageQuery.extend({
  email: emailSchema.optional().meta({ description: 'Only accounts that carry this address.' }),
  role: roleNameSchema.optional().meta({ description: 'Only accounts that have this role.' }),
});

export const userPageSchema = z
  .object({ items: z.array(userSchema), nextCursor: nextCursorSchema })
  .meta({ id: 'UserPage' });

export const assignRolesBody = z
  .strictObject({
    roles: z
      .array(roleNameSchema)
      .max(10)
      .meta({ description: 'All that the account shall have; everybody is `customer` besides.', example: ['staff'] }),
  })
  .meta({ id: 'AssignRolesRequest' });

export const createClientBody = z
  .strictObject({ name: nameOfClient, permissions: permissionsSchema })
  .meta({ id: 'CreateClientRequest' });

const clientSecretSchema = z
  .object({
    id: idSchema,
    createdAt: timeSchema,
    lastUsedAt: timeSchema.optional().meta({ description: 'Give or take a minute; absent where it never was.' }),
  })
  .meta({ id: 'ClientSecret', description: 'A secret, without itself.' });

export const clientSchema = z
  .object({
    id: idSchema.meta({ description: 'The `client_id` of OAuth 2.' }),
    name: nameOfClient,
    permissions: permissionsSchema,
    secrets: z.array(clientSecretSchema).meta({ description: 'Two at most, newest first.' }),
    createdAt: timeSchema,
    lastUsedAt: timeSchema
      .optional()
      .meta({ description: 'Give or take a minute; absent where it never got a token.' }),
  })
  .meta({ id: 'MachineClient', description: 'A program that calls the shop by itself.' });

export const clientListSchema = z.object({ items: z.array(clientSchema) }).meta({ id: 'MachineClients' });

export const newSecretSchema = z
  .object({
    client: clientSchema,
    clientSecret: z.string().meta({ description: 'The secret; it is shown here and never again.' }),
  })
  .meta({ id: 'NewClientSecret' });

export const rotateKeysBody = z
  .strictObject({
    compromised: z
      .boolean()
      .default(false)
      .meta({ description: 'A key was stolen: the next one signs at once, and all others are withdrawn.' }),
  })
  .optional()
  .meta({ id: 'RotateSigningKeysRequest' });

export const signingKeysSchema = z
  .object({
    items: z.array(
      z.object({
        id: z.string().meta({ description: 'The `kid` of the tokens that it signs.' }),
        signsFrom: timeSchema.optional().meta({ description: 'When it begins, or began, to sign.' }),
      }),
    ),
  })
  .meta({ id: 'SigningKeys', description: 'The keys that access tokens are signed with, newest first.' });
