import type { OptionalFactoryDependency, Type } from '@nestjs/common';

/** A provider that a service may lack. */
export function optional(token: Type): OptionalFactoryDependency {
  return { token, optional: true };
}
