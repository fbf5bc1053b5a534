/** Makes the parts of a service from the providers of its own module, as Nest does, without the rest of Nest. */
import type { Provider } from '@nestjs/common';

type Part = object;
type Find = (token: unknown) => Part | undefined;

/** @param given what stands in for the world: asked first, by token */
export function compose(providers: readonly Provider[], given: Find): Part[] {
  const recipes = new Map(providers.map((provider) => [tokenOf(provider), provider]));
  const made = new Map<unknown, Part>();
  const find: Find = (token) => {
    const known = made.get(token) ?? given(token);
    if (known) return known;
    const recipe = recipes.get(token);
    if (!recipe) return undefined;
    const part = make(recipe, find);
    made.set(token, part);
    return part;
  };
  return [...recipes.keys()].flatMap((token) => find(token) ?? []);
}

/** What a provider is asked for by. */
export function tokenOf(provider: Provider): unknown {
  return typeof provider === 'function' ? provider : provider.provide;
}

function make(provider: Provider, find: Find): Part {
  const parts = (dependencies: readonly unknown[]) => dependencies.map((dependency) => dependencyOf(dependency, find));
  if (typeof provider === 'function') {
    const construct = provider as unknown as new (...parts: unknown[]) => Part;
    return new construct(...parts(dependenciesOf(construct)));
  }
  if ('useValue' in provider) return provider.useValue as Part;
  if (!('useFactory' in provider)) throw new Error(`The simulation can't make ${nameOf(provider.provide)}.`);
  return (provider.useFactory as (...parts: unknown[]) => Part)(...parts(provider.inject ?? []));
}

/** A dependency is a token, or one that says that it may be missing. */
function dependencyOf(dependency: unknown, find: Find): Part | undefined {
  const isDescribed = typeof dependency === 'object' && dependency !== null && 'token' in dependency;
  const described = dependency as { token: unknown; optional: boolean };
  const { token, optional } = isDescribed ? described : { token: dependency, optional: false };
  const part = find(token);
  if (!part && !optional) throw new Error(`The simulation has no ${nameOf(token)} to give.`);
  return part;
}

/** What the compiler noted of a class's constructor, and what `@Inject` says instead. */
function dependenciesOf(construct: object): unknown[] {
  const types = (Reflect.getMetadata('design:paramtypes', construct) ?? []) as unknown[];
  const named = (Reflect.getMetadata('self:paramtypes', construct) ?? []) as { index: number; param: unknown }[];
  return types.map((type, index) => named.find((one) => one.index === index)?.param ?? type);
}

function nameOf(token: unknown): string {
  return typeof token === 'function' ? token.name : String(token);
}
