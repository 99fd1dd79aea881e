import { ConfigurableModuleBuilder, Logger } from '@nestjs/common';
import { z } from 'zod';
import { AdapterUnusableError } from './bus.errors.js';
import { busOptions, type BusOptions, type BusOptionsInput } from './bus.options.js';

export const { ConfigurableModuleClass: ConfigurableBusModule, MODULE_OPTIONS_TOKEN: GIVEN_OPTIONS } =
  new ConfigurableModuleBuilder<BusModuleOptions>({ moduleName: 'Bus' })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
    .build();

/** The injection token of the complete {@link BusOptions}. */
export const BUS_OPTIONS = Symbol('BusOptions');

/** The options as a program writes them. */
export type BusModuleOptions = BusOptionsInput & {
  /** @deprecated renamed to `retries` */
  readonly parked?: BusOptionsInput['retries'];
};

/**
 * Returns the options with their defaults.
 *
 * @throws {AdapterUnusableError} the options are invalid. The message lists every fault.
 */
export function completeOptions({ parked, ...given }: BusModuleOptions): BusOptions {
  if (parked !== undefined)
    new Logger('Bus').warn(
      'the option parked is now called retries: the former name still works, but use the present one',
    );
  const parsed = busOptions.safeParse(parked === undefined ? given : { retries: parked, ...given });
  if (parsed.success) return parsed.data;
  throw new AdapterUnusableError(`the options of the bus are invalid:\n${z.prettifyError(parsed.error)}`);
}
