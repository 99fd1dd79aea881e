import { onOneLine } from '../json/index.js';
import { entriesOf, sizeOf, type Field, type Schema, type StringKeyed } from './schema.js';

/** Writes a message as a JSON object. Payloads have to be JSON, and are written verbatim except for newlines. */
export function jsonObject(schema: Schema, message: object): string {
  return `{${jsonMembers(schema.fields, message, '')}}`;
}

/**
 * Writes some fields of a message as members of a JSON object. Those with a zero value are left out.
 * @param separator before the first member
 */
export function jsonMembers(fields: readonly Field[], message: object, separator: string): string {
  const values = message as Readonly<Record<string, unknown>>;
  let text = '';
  let comma = separator;
  for (const field of fields) {
    const value = values[field.name];
    if (!field.always && isZero(field, value)) continue;
    text += `${comma}"${field.key}":${fieldText(field, value)}`;
    comma = ',';
  }
  return text;
}

function isZero(field: Field, value: unknown): boolean {
  if (value === undefined || value === 0 || value === '' || value === false) return true;
  if (field.many === 'list') return (value as readonly unknown[]).length === 0;
  if (field.many === 'map') return sizeOf(value as StringKeyed) === 0;
  return field.kind === 'payload' && (value as Buffer).length === 0;
}

function fieldText(field: Field, value: unknown): string {
  if (field.many === 'list') {
    return `[${((value ?? []) as readonly unknown[]).map((element) => valueText(field, element)).join()}]`;
  }
  if (field.many === 'map') {
    const members = entriesOf((value ?? {}) as StringKeyed);
    return `{${Array.from(members, ([key, element]) => `${JSON.stringify(key)}:${valueText(field, element)}`).join()}}`;
  }
  return valueText(field, value);
}

function valueText(field: Field, value: unknown): string {
  switch (field.kind) {
    case 'message':
      return jsonObject(field.of!(), value as object);
    case 'payload':
      return onOneLine(value as Buffer).toString();
    case 'string':
      return JSON.stringify(value ?? '');
    case 'bool':
      return value === true ? 'true' : 'false';
    default:
      return `${(value ?? 0) as number}`;
  }
}
