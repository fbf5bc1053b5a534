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
import { ApiBearerAuth, ApiExtension, ApiSecurity } from '@nestjs/swagger';
import { authorize, GATEWAY, GUEST, TokenVerifier, type Principal, type Rule } from '@souk/auth';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimits } from '../rate-limits/rate-limits.js';
import { Fails } from './api-docs.js';
import { limitPrincipal } from './rate-limit.js';
import { RefusalRecords } from './refusal-records.js';

/**
 * The rules of RPCs, without those about services. `public` does not look at the token at all; `anyone` lets in guests,
 * but no broken or expired token. Several are alternatives.
 */
export type AccessRule = Exclude<Rule, `service:${string}`>;

const ACCESS = 'souk:access';
const BEARER = /^Bearer +(\S+)$/i;
const JWT = /^[^.]+\.[^.]+\.[^.]+$/;

/** Declares who may use the decorated route, for the gateway and for the reader of the OpenAPI document. */
export function Access(...rules: [AccessRule, ...AccessRule[]]): MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS, rules), ApiExtension('x-access', rules), ...documented(rules));
}

function documented(rules: readonly AccessRule[]): MethodDecorator[] {
  if (rules.includes('public')) return [ApiSecurity({})];
  if (rules.includes('anyone')) return [ApiSecurity({}), ApiBearerAuth(), Fails({ 401: ['TOKEN_INVALID'] })];
  const forbidden = ['PERMISSION_DENIED', 'SECOND_FACTOR_REQUIRED'];
  return [ApiBearerAuth(), Fails({ 401: ['UNAUTHENTICATED', 'TOKEN_INVALID'], 403: forbidden })];
}

@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly verifier: TokenVerifier,
    private readonly limits: RateLimits,
    private readonly refusals: RefusalRecords,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const rules = Reflect.getMetadata(ACCESS, context.getHandler()) as readonly AccessRule[];
    if (rules.includes('public')) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    try {
      const principal = await this.identify(request);
      limitPrincipal(this.limits, principal, request, http.getResponse<FastifyReply>());
      authorize(rules, principal, GATEWAY);
      return true;
    } catch (error) {
      this.refusals.note(request, error);
      throw error;
    }
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
  readonly rules: readonly AccessRule[] | undefined;
}

/** Knows all routes, and keeps the gateway from starting while one has no rule. */
@Injectable()
export class Routes implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const open = this.all().filter(({ rules }) => rules === undefined);
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
          rules: Reflect.getMetadata(ACCESS, handler as object) as readonly AccessRule[] | undefined,
        }));
    });
  }
}
