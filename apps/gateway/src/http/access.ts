/**
 * Who may use which route. Every route declares its rule with `@Access`; one without keeps the gateway from starting.
 * The token is verified here, to refuse early, and passed on: each service verifies it again and decides for itself.
 */
import {
  applyDecorators,
  Injectable,
  SetMetadata,
  type CanActivate,
  type ExecutionContext,
  type OnModuleInit,
} from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';
import { authorize, GUEST, TokenVerifier, type Principal } from '@souk/auth';
import type { FastifyRequest } from 'fastify';
import { Fails } from './api-docs.js';

/** `public` does not look at the token at all; `anyone` lets in guests, but no broken or expired token. */
export type AccessRule = 'public' | 'anyone' | 'user' | 'staff';

const ACCESS = 'souk:access';
const BEARER = /^Bearer +(\S+)$/i;
const JWT = /^[^.]+\.[^.]+\.[^.]+$/;

/** Declares who may use the decorated route. */
export function Access(rule: AccessRule): MethodDecorator {
  const documented: Record<AccessRule, MethodDecorator[]> = {
    public: [ApiSecurity({})],
    anyone: [ApiSecurity({}), ApiBearerAuth(), Fails({ 401: ['TOKEN_INVALID'] })],
    user: [ApiBearerAuth(), Fails({ 401: ['UNAUTHENTICATED', 'TOKEN_INVALID'] })],
    staff: [ApiBearerAuth(), Fails({ 401: ['UNAUTHENTICATED', 'TOKEN_INVALID'], 403: ['PERMISSION_DENIED'] })],
  };
  return applyDecorators(SetMetadata(ACCESS, rule), ...documented[rule]);
}

@Injectable()
export class AccessGuard implements CanActivate {
  constructor(private readonly verifier: TokenVerifier) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rule = Reflect.getMetadata(ACCESS, context.getHandler()) as AccessRule;
    if (rule === 'public') return true;
    const principal = await this.identify(context.switchToHttp().getRequest<FastifyRequest>());
    authorize([rule], principal, undefined);
    return true;
  }

  private async identify(request: FastifyRequest): Promise<Principal> {
    const token = bearerToken(request);
    if (!token || !JWT.test(token)) return GUEST;
    const user = await this.verifier.verify(token);
    if (request.callContext) {
      request.callContext.principal = user;
      request.callContext.userToken = token;
    }
    return user;
  }
}

/** The access token of a guest's order, sent as the bearer token or as `?accessToken=`; empty where there is none. */
export function orderToken(request: FastifyRequest): string {
  const token = bearerToken(request);
  if (token && !JWT.test(token)) return token;
  const { accessToken } = request.query as { accessToken?: unknown };
  return typeof accessToken === 'string' ? accessToken : '';
}

function bearerToken(request: FastifyRequest): string | undefined {
  return BEARER.exec(request.headers.authorization ?? '')?.[1];
}

/** A method of a controller that answers requests. */
export interface Route {
  readonly handler: string;
  readonly rule: AccessRule | undefined;
}

/** Knows all routes, and keeps the gateway from starting while one has no rule. */
@Injectable()
export class Routes implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const open = this.all().filter(({ rule }) => rule === undefined);
    if (open.length > 0) throw new Error(`${open.map(({ handler }) => handler).join(', ')}: declare who may use it.`);
  }

  all(): Route[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      const { name, prototype } = metatype as { name: string; prototype: Record<string, object> };
      return this.scanner
        .getAllMethodNames(prototype)
        .map((method) => ({ method, handler: prototype[method] }))
        .filter(({ handler }) => handler && Reflect.hasMetadata('path', handler))
        .map(({ method, handler }) => ({
          handler: `${name}.${method}`,
          rule: Reflect.getMetadata(ACCESS, handler as object) as AccessRule | undefined,
        }));
    });
  }
}
