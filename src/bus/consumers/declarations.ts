import { type DiscoveryService, MetadataScanner } from '@nestjs/core';

/** A class, or the value that an application provides as one. */
export type ProviderClass = NonNullable<Parameters<typeof Reflect.getMetadata>[1]> & {
  readonly prototype?: object;
};

export interface Declaration<T> {
  readonly metadata: T;
  /** The name of the decorated method; `handle` if the class is decorated. */
  readonly method: string;
}

const scanner = new MetadataScanner();

/** Returns what a decorator declares on a class and on its methods. */
export function declarationsOn<T>(
  type: ProviderClass,
  decorator: ReturnType<typeof DiscoveryService.createDecorator<T>>,
): Declaration<T>[] {
  const { prototype } = type;
  if (prototype === undefined) return [];
  const ofClass = Reflect.getMetadata(decorator.KEY, type) as T | undefined;
  const found: Declaration<T>[] = ofClass === undefined ? [] : [{ metadata: ofClass, method: 'handle' }];
  for (const method of scanner.getAllMethodNames(prototype)) {
    const metadata = Reflect.getMetadata(decorator.KEY, Reflect.get(prototype, method) as object) as
      T | undefined;
    if (metadata !== undefined) found.push({ metadata, method });
  }
  return found;
}
