import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { checkJson, MalformedJsonError } from '../json/index.js';
import { ConfigError } from './config.errors.js';
import type { Environment } from './sources.js';

/** The `.env` file of the working directory; none is fine. */
export function readDotEnv(cwd: string): Environment {
  return existsSync(resolve(cwd, '.env')) ? parseEnv(readFile(cwd, '.env', 'the .env file')) : {};
}

/** The configuration file, as it is. */
export function readConfigFile(cwd: string, file: string): unknown {
  const text = readFile(cwd, file, `the configuration file ${file}`);
  try {
    return JSON.parse(text);
  } catch {
    // What the parser says quotes the file, which may hold secrets.
    throw new ConfigError([`the configuration file ${file} is not JSON${whyNotJson(text)}`]);
  }
}

function readFile(cwd: string, file: string, what: string): string {
  try {
    // Editors of Windows put a byte order mark in front.
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
    return `: ${fault.reason} in line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  }
}
