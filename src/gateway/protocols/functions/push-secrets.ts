import { hash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_MODULE_OPTIONS, type GatewayModuleOptions } from '../../gateway.module-definition.js';
import { functionsSettings } from './functions.options.js';

/** The secrets in the push URLs of the routes. A route may have two, so that one can be replaced while the other still works. */
@Injectable()
export class PushSecrets {
  readonly #hashes: ReadonlyMap<string, readonly Buffer[]>;

  constructor(@Inject(GATEWAY_MODULE_OPTIONS) options: GatewayModuleOptions) {
    const { routes } = functionsSettings.of(options);
    this.#hashes = new Map(
      Object.entries(routes).map(([name, { pushSecrets }]) => [name, pushSecrets.map(hashOf)]),
    );
  }

  /** Takes the same time for every wrong secret of a route. */
  match(route: string, secret: string): boolean {
    const given = hashOf(secret);
    let isKnown = false;
    for (const each of this.#hashes.get(route) ?? []) if (timingSafeEqual(each, given)) isKnown = true;
    return isKnown;
  }
}

function hashOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}
