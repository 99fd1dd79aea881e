import { KeyTable } from '../json/index.js';

/**
 * A message as a table of its fields. Every encoding works from the same table: JSON by `key`, Protobuf by `no`. The
 * order of the fields is the order in which they are written.
 */
export interface Schema<T = object> {
  readonly fields: readonly Field[];
  /** A message in which every field is absent. Decoding copies it; it is shared and never changed. */
  readonly zero: Readonly<T>;
  readonly keys: KeyTable<Field>;
  /** The fields by their number in Protobuf. */
  readonly numbers: readonly (Field | undefined)[];
}

export interface Field {
  /** The name of the property. */
  readonly name: string;
  /** The same name in JSON: snake_case. */
  readonly key: string;
  /** 0: the field exists in JSON only. */
  readonly no: number;
  readonly kind: Kind;
  readonly many: 'no' | 'list' | 'map';
  /** The schema of a nested message. A function, because a message may contain messages of its own kind. */
  readonly of: (() => Schema) | undefined;
  /** Written to JSON even if it is zero. */
  readonly always: boolean;
  /** Added to what the OpenAPI document says about the field. */
  readonly documentation: JsonSchema | undefined;
}

export type Kind =
  | 'string'
  | 'bool'
  | 'uint32'
  | 'int32'
  | 'int64'
  | 'uint64'
  | 'sint64'
  /** Beyond 2⁵³ these lose their last digits but keep their order. JSON may have them in quotes. */
  | 'wideInt64'
  | 'wideUint64'
  /** Bytes that are only forwarded: in JSON any value, as it was spelled. */
  | 'payload'
  | 'message';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** One field of a message. `T` ties it to the type of the property. */
export interface FieldSpec<T> extends Omit<Field, 'name' | 'key'> {
  readonly type?: T;
}

type Plain<T> = string extends keyof T ? ReadonlyMap<string, T[string]> : T;

/** Creates the table for messages of type `T`; the compiler ensures that no property is missing or mistyped. */
export function message<T extends object>(specs: {
  readonly [K in keyof T]-?: FieldSpec<Plain<NonNullable<T[K]>>>;
}): Schema<T> {
  const fields = Object.entries(specs as Record<string, FieldSpec<unknown>>).map(([name, spec]): Field => ({
    ...spec,
    name,
    key: snakeCase(name),
  }));
  const numbers: (Field | undefined)[] = [];
  for (const field of fields) if (field.no > 0) numbers[field.no] = field;
  const zero = Object.fromEntries(fields.map((field) => [field.name, zeroOf(field)])) as T;
  return { fields, zero, keys: new KeyTable(fields), numbers: Array.from(numbers) };
}

export const string = (no: number): FieldSpec<string> => scalar(no, 'string');
export const bool = (no: number): FieldSpec<boolean> => scalar(no, 'bool');
export const uint32 = (no: number): FieldSpec<number> => scalar(no, 'uint32');
export const int32 = (no: number): FieldSpec<number> => scalar(no, 'int32');
export const int64 = (no: number): FieldSpec<number> => scalar(no, 'int64');
export const uint64 = (no: number): FieldSpec<number> => scalar(no, 'uint64');
export const sint64 = (no: number): FieldSpec<number> => scalar(no, 'sint64');
export const wideInt64 = (no: number): FieldSpec<number> => scalar(no, 'wideInt64');
export const wideUint64 = (no: number): FieldSpec<number> => scalar(no, 'wideUint64');
export const payload = (no: number): FieldSpec<Buffer> => scalar(no, 'payload');

export function one<T>(no: number, of: () => Schema<T>): FieldSpec<T> {
  return { ...scalar(no, 'message'), of };
}

export function list<T>(no: number, of: () => Schema<T>): FieldSpec<readonly T[]> {
  return { ...scalar(no, 'message'), many: 'list', of };
}

export function strings(no: number): FieldSpec<readonly string[]> {
  return { ...scalar(no, 'string'), many: 'list' };
}

export function map<T>(no: number, of: () => Schema<T>): FieldSpec<ReadonlyMap<string, T>> {
  return { ...scalar(no, 'message'), many: 'map', of };
}

export function stringMap(no: number): FieldSpec<ReadonlyMap<string, string>> {
  return { ...scalar(no, 'string'), many: 'map' };
}

export function always<T>(spec: FieldSpec<T>): FieldSpec<T> {
  return { ...spec, always: true };
}

export function described<T>(
  spec: FieldSpec<T>,
  description: string,
  details: JsonSchema = {},
): FieldSpec<T> {
  return { ...spec, documentation: { ...details, description } };
}

function scalar(no: number, kind: Kind): Omit<Field, 'name' | 'key'> {
  return { no, kind, many: 'no', of: undefined, always: false, documentation: undefined };
}

const EMPTY_LIST: readonly never[] = Object.freeze([]);
const EMPTY_MAP: ReadonlyMap<string, unknown> = new Map();

function zeroOf(field: Field): unknown {
  if (field.many === 'list') return EMPTY_LIST;
  if (field.many === 'map') return EMPTY_MAP;
  if (field.kind === 'payload' || field.kind === 'message') return undefined;
  if (field.kind === 'string') return '';
  return field.kind === 'bool' ? false : 0;
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}

/** A map of texts: a record in tags, a `Map` in data that comes from a client. */
export type StringKeyed = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>;

export function entriesOf(keyed: StringKeyed): Iterable<[string, unknown]> {
  return keyed instanceof Map ? keyed : Object.entries(keyed);
}

export function sizeOf(keyed: StringKeyed): number {
  return keyed instanceof Map ? keyed.size : Object.keys(keyed).length;
}
