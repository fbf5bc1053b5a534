// Wiring that the compiler checks: a provider is a class and, in the order of its constructor, what it takes.
import type { InjectionToken, Provider } from '@nestjs/common';

/** Stands for something that is no class of its own, such as a client. */
export type Token<T> = symbol & { readonly stands?: T };

type Source<T> = { prototype: T } | Token<T>;

export function token<T>(name: string): Token<T> {
  return Symbol(name);
}

/** A provider of the class, made of what others provide. */
export function made<Needs extends unknown[], T>(
  type: new (...needs: Needs) => T,
  ...inject: { [K in keyof Needs]: Source<Needs[K]> }
): Provider {
  return {
    provide: type,
    inject: inject as unknown as InjectionToken[],
    useFactory: (...needs: Needs) => new type(...needs),
  };
}
