import { ConfigurableModuleBuilder, Logger } from '@nestjs/common';
import { z } from 'zod';
import { MetricsEndpointModule, type MetricsOptionsInput } from '../metrics/index.js';
import { AdapterUnusableError } from './bus.errors.js';
import { translateOriginalNames } from './original-names.js';
import { busOptions, type BusOptions, type BusOptionsInput } from './bus.options.js';

export const { ConfigurableModuleClass: ConfigurableBusModule, MODULE_OPTIONS_TOKEN: GIVEN_OPTIONS } =
  new ConfigurableModuleBuilder<BusModuleOptions>({ moduleName: 'Bus' })
    .setClassMethodName('forRoot')
    .setExtras<BusModuleExtras>(
      { isGlobal: true, metrics: undefined },
      (definition, { isGlobal = true, metrics }) => ({
        ...definition,
        global: isGlobal,
        imports: [
          ...(definition.imports ?? []),
          ...(metrics ? [MetricsEndpointModule.forRoot(metrics)] : []),
        ],
      }),
    )
    .build();

export interface BusModuleExtras {
  readonly isGlobal?: boolean;
  /**
   * Serves the metrics of the process for Prometheus, with those of Carillon, at a path of the application's own HTTP server;
   * `{}` is `/metrics`. Absent: no endpoint. The metrics are in {@link metricsRegistry} in any case.
   */
  readonly metrics?: MetricsOptionsInput | undefined;
}

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
  const { options, renamed } = translateOriginalNames(
    parked === undefined ? given : { retries: parked, ...given },
  );
  for (const [former, present] of renamed)
    new Logger('Bus').log(`the option ${former} has the name ${present} here: both are accepted`);
  const parsed = busOptions.safeParse(options);
  if (parsed.success) return withoutFiles(parsed.data);
  throw new AdapterUnusableError(`the options of the bus are invalid:\n${z.prettifyError(parsed.error)}`);
}

/** @throws {AdapterUnusableError} the options name files with consumers: only the server loads them */
function withoutFiles(options: BusOptions): BusOptions {
  for (const [name, { load }] of Object.entries(options.modules))
    if (load.length > 0)
      throw new AdapterUnusableError(
        `modules.${name}.load: only the server loads files (${load.join(', ')}). Import their classes, and add them to the providers of your application`,
      );
  return options;
}
