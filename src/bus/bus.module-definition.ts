import { ConfigurableModuleBuilder } from '@nestjs/common';
import { z } from 'zod';
import { AdapterUnusableError } from './bus.errors.js';
import { busOptions, type BusOptions, type BusOptionsInput } from './bus.options.js';

export const { ConfigurableModuleClass: ConfigurableBusModule, MODULE_OPTIONS_TOKEN: GIVEN_OPTIONS } =
  new ConfigurableModuleBuilder<BusOptionsInput>({ moduleName: 'Bus' }).setClassMethodName('forRoot').build();

/** The token of the {@link BusOptions} with every default filled in. */
export const BUS_OPTIONS = Symbol('BusOptions');

/** @throws {AdapterUnusableError} with every fault at once */
export function completed(given: BusOptionsInput): BusOptions {
  const parsed = busOptions.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new AdapterUnusableError(`the options of the bus are wrong:\n${z.prettifyError(parsed.error)}`);
}
