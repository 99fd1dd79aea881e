import { existsSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Type } from '@nestjs/common';
import type { BusOptions } from '../bus.options.js';
import { classesOf, consumersIn, type ConsumerClasses } from './exported-classes.js';
import { sharePackages } from './own-packages.js';

const TYPESCRIPT = /\.[mc]?tsx?$/;

/** The classes of all files, for the application that runs the consumers. */
export interface ConsumerFiles {
  readonly modules: readonly Type[];
  readonly providers: readonly Type[];
}

export const noConsumerFiles: ConsumerFiles = { modules: [], providers: [] };

/**
 * Imports the files and packages that the configuration names for the modules (`bus.modules.MODULE.load`), and checks that each
 * of them declares a consumer of its module.
 *
 * @param directory relative paths and packages are looked up from here
 * @returns the classes, or a sentence for every file that cannot be used
 */
export async function loadConsumerFiles(
  { modules }: Pick<BusOptions, 'modules'>,
  directory: string,
): Promise<{ readonly files: ConsumerFiles; readonly faults: readonly string[] }> {
  const wanted = Object.entries(modules).flatMap(([module, { load }]) =>
    load.map((name): [module: string, name: string] => [module, name]),
  );
  if (wanted.length === 0) return { files: noConsumerFiles, faults: [] };
  const importPackage = sharePackages(directory);
  const found: ConsumerClasses[] = [];
  const faults: string[] = [];
  for (const [module, name] of wanted) {
    const place = `bus.modules.${module}.load: ${name}`;
    const outcome = await contentOf(name, directory, importPackage);
    const classes = typeof outcome === 'string' ? outcome : classesOf(outcome.exports);
    const fault = typeof classes === 'string' ? classes : faultOf(classes, module);
    if (fault !== undefined) faults.push(`${place} ${fault}`);
    else if (typeof classes !== 'string') found.push(classes);
  }
  const files = {
    modules: unique(found.flatMap((classes) => classes.modules)),
    providers: unique(found.flatMap((classes) => classes.providers)),
  };
  return { files, faults };
}

/** Returns what a file exports, or why it cannot be used. */
async function contentOf(
  name: string,
  directory: string,
  importPackage: (name: string) => Promise<unknown>,
): Promise<{ exports: object } | string> {
  if (TYPESCRIPT.test(name))
    return 'is TypeScript, which this process does not compile: name the compiled .js file';
  const isFile = name.startsWith('.') || isAbsolute(name);
  const path = resolve(directory, name);
  if (isFile && !existsSync(path)) return `does not exist: there is no ${path}`;
  if (isFile && !statSync(path).isFile()) return `is not a file: name the file in ${path}`;
  try {
    const content: unknown = await (isFile ? import(pathToFileURL(path).href) : importPackage(name));
    return { exports: content as object };
  } catch (error) {
    return failureOf(error, name, directory);
  }
}

function failureOf(error: unknown, name: string, directory: string): string {
  const { code, message = String(error), stack = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === 'ERR_MODULE_NOT_FOUND' && message.startsWith(`Cannot find package '${name}'`))
    return `does not exist: there is no package of this name in ${directory} or above; a file begins with ./`;
  const advice =
    error instanceof SyntaxError
      ? '. It has to be plain JavaScript for Node 24: compile decorators, and everything else that is not'
      : '';
  const [where = ''] = stack
    .split('\n')
    .filter((line) => /file:\/\/|^\//.test(line) && !line.includes('node:'));
  return `cannot be loaded: ${message}${where === '' ? '' : ` (${where.trim()})`}${advice}`;
}

function faultOf(classes: ConsumerClasses, module: string): string | undefined {
  const consumers = consumersIn(classes);
  const example = `@ModuleConsumer({ module: '${module}', … })`;
  if (consumers.length === 0)
    return `declares no consumer: export a class with ${example}, or with @ModuleHandler({ module: '${module}' })`;
  const others = consumers.filter((consumer) => consumer.module !== module);
  if (others.length === 0) return undefined;
  const names = others.map((other) => `${other.name} of module ${other.module}`).join(' and ');
  return `declares ${names}: name the file under the module that its consumers belong to, which is ${module} here`;
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}
