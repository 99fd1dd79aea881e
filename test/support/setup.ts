// Runs before each test file. Importing Nest here lets a CommonJS library (`@willsoto/nestjs-prometheus`) require it
// synchronously, which jest's loader refuses while the module is being linked.
import 'reflect-metadata';
import { Logger } from '@nestjs/common';

// Logs would hide the test report. CARILLON_TEST_LOGS=1 shows them.
if (process.env.CARILLON_TEST_LOGS !== '1') Logger.overrideLogger(false);
