import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { checkJson, MalformedJsonError } from '../json/index.js';
import { ConfigError } from './config.errors.js';
import type { Environment } from './variables.js';

/** Reads the `.env` file of the working directory. Without one there are no variables. */
export function readDotEnv(cwd: string): Environment {
  return existsSync(resolve(cwd, '.env')) ? parseEnv(readFile(cwd, '.env', 'the .env file')) : {};
}

/** Reads a configuration file as JSON, without checking what is in it. */
export function readConfigFile(cwd: string, file: string): unknown {
  const text = readFile(cwd, file, `the configuration file ${file}`);
  try {
    return JSON.parse(text);
  } catch {
    // The message of the parser quotes the file, which may contain secrets.
    throw new ConfigError([`the configuration file ${file} is not valid JSON${whyNotJson(text)}`]);
  }
}

function readFile(cwd: string, file: string, what: string): string {
  try {
    // Editors on Windows write a byte order mark.
    return readFileSync(resolve(cwd, file), 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError([`cannot read ${what} (${code ?? 'unknown error'}): check the path`]);
  }
}

function whyNotJson(text: string): string {
  const bytes = Buffer.from(text);
  try {
    checkJson(bytes);
    return '';
  } catch (fault) {
    if (!(fault instanceof MalformedJsonError) || fault.byte === undefined) return '';
    const before = bytes.subarray(0, fault.byte).toString().split('\n');
    return `: ${fault.reason} at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  }
}
