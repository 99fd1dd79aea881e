import type { Type } from '@nestjs/common';
import { INJECTABLE_WATERMARK, MODULE_METADATA } from '@nestjs/common/constants.js';
import { ModuleConsumer, ModuleHandler } from '../consumers/consumer.decorators.js';
import { ConsumerSource } from '../consumers/consumer-source.js';
import { declarationsOn } from '../consumers/declarations.js';

/** The classes that a file exports for the application. */
export interface ConsumerClasses {
  readonly modules: readonly Type[];
  readonly providers: readonly Type[];
}

export interface DeclaredConsumer {
  readonly module: string;
  /** The class. */
  readonly name: string;
}

/**
 * Sorts the exports of a file: Nest modules are imported, and consumers, handlers, sources and other injectable classes become
 * providers. Everything else is the file's own business.
 */
export function classesOf(exported: object): ConsumerClasses {
  const classes = [...new Set(valuesOf(exported))].filter(isClass);
  const modules = classes.filter(isNestModule);
  const provided = new Set<unknown>(modules.flatMap(providersOf));
  const providers = classes.filter((each) => !isNestModule(each) && !provided.has(each) && isProvider(each));
  return { modules, providers };
}

/** Returns what the classes declare, including the providers of the Nest modules. */
export function consumersIn({ modules, providers }: ConsumerClasses): DeclaredConsumer[] {
  return [...providers, ...modules.flatMap(providersOf).filter(isClass)].flatMap(declaredOn);
}

function declaredOn(type: Type): DeclaredConsumer[] {
  const { name } = type;
  return [...declarationsOn(type, ModuleConsumer), ...declarationsOn(type, ModuleHandler)].map(
    ({ metadata: { module } }) => ({ module, name }),
  );
}

/** A CommonJS file may export an object, of which Node does not know the names in advance. */
function valuesOf(exported: object): unknown[] {
  const values: unknown[] = Object.values(exported);
  return values.flatMap((value) =>
    typeof value === 'object' && value !== null ? [value, ...(Object.values(value) as unknown[])] : [value],
  );
}

function isClass(value: unknown): value is Type {
  return typeof value === 'function' && typeof value.prototype === 'object';
}

function isNestModule(type: Type): boolean {
  return Object.values(MODULE_METADATA).some((key) => Reflect.hasOwnMetadata(key, type));
}

function providersOf(module: Type): unknown[] {
  return (Reflect.getMetadata(MODULE_METADATA.PROVIDERS, module) ?? []) as unknown[];
}

function isProvider(type: Type): boolean {
  return (
    Reflect.hasOwnMetadata(INJECTABLE_WATERMARK, type) ||
    type.prototype instanceof ConsumerSource ||
    declaredOn(type).length > 0
  );
}
