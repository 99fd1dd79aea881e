import { Logger } from '@nestjs/common';
import { CommandError } from '../cli/cli.errors.js';
import { ConfigError } from '../config/config.errors.js';
import { CarillonError } from '../errors.js';
import { redactUrls } from '../urls/index.js';

/** Ends the process with 1. An error that the operator can correct is printed as text; any other one is a defect and is logged with its stack. */
export function fail(error: unknown): never {
  if (error instanceof ConfigError || error instanceof CommandError)
    process.stderr.write(`carillon: ${redactUrls(error.message)}\n`);
  else if (error instanceof CarillonError)
    process.stderr.write(`carillon: ${error.code}: ${redactUrls(error.message)}\n`);
  else new Logger('Main').error(error);
  process.exit(1);
}
