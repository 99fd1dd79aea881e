import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const OWN_FILES: Readonly<Record<string, string>> = {
  'carillon/bus': '../index.js',
  'carillon/bus/microservices': '../microservices/index.js',
};
const SHARED_PACKAGES = /^(?:@nestjs\/(?:common|core|microservices)|reflect-metadata)(?:\/|$)/;
const FROM_DIRECTORY = 'carillon-consumers:';

/**
 * Lets files anywhere on the machine import `carillon/bus` and Nest. They get those of this process: a decorator or a class of
 * another copy would not be recognised. Called once, before the first of these files is imported.
 *
 * @returns a function that imports a package as a file in the directory would
 */
export function sharePackages(directory: string): (packageName: string) => Promise<unknown> {
  const parentURL = pathToFileURL(join(directory, 'carillon.js')).href;
  registerHooks({
    resolve(specifier, context, next) {
      const own = OWN_FILES[specifier];
      if (own !== undefined) return { url: new URL(own, import.meta.url).href, shortCircuit: true };
      if (specifier.startsWith(FROM_DIRECTORY))
        return next(specifier.slice(FROM_DIRECTORY.length), { ...context, parentURL });
      return next(
        specifier,
        SHARED_PACKAGES.test(specifier) ? { ...context, parentURL: import.meta.url } : context,
      );
    },
  });
  return (packageName) => import(`${FROM_DIRECTORY}${packageName}`) as Promise<unknown>;
}
