import { KeyTable, type JsonScanner } from '../../json/index.js';

/** How a field of a request is read from JSON. */
export interface Field<T> {
  read(this: void, scanner: JsonScanner): T;
  /** Where the field is absent or null. */
  readonly zero: T;
  /** Null is one of its values. */
  readonly takesNull?: boolean;
  /** For the OpenAPI document. */
  readonly schema: JsonSchema;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

const INT32_MAX = 0x7fffffff;

export const text: Field<string> = {
  read: (scanner) => scanner.readString(),
  zero: '',
  schema: { type: 'string' },
};
export const flag: Field<boolean> = {
  read: (scanner) => scanner.readBool(),
  zero: false,
  schema: { type: 'boolean' },
};
export const int32: Field<number> = {
  read: (scanner) => scanner.readInteger(-INT32_MAX - 1, INT32_MAX),
  zero: 0,
  schema: { type: 'integer' },
};

export const uint32: Field<number> = {
  read: (scanner) => scanner.readInteger(0, 2 ** 32 - 1),
  zero: 0,
  schema: { type: 'integer', minimum: 0 },
};

/** Beyond 2⁵³ the last digits are lost, but not the order. Some clients write such numbers in quotes. */
export const int64: Field<number> = {
  read: (scanner) => scanner.readQuotableInteger(-(2 ** 63), 2 ** 63),
  zero: 0,
  schema: { type: 'integer' },
};
export const uint64: Field<number> = {
  read: (scanner) => scanner.readQuotableInteger(0, 2 ** 64),
  zero: 0,
  schema: { type: 'integer', minimum: 0 },
};

/** Any value as it was spelled. */
export const raw: Field<Buffer | undefined> = {
  read: (scanner) => scanner.readRaw(),
  zero: undefined,
  takesNull: true,
  schema: {},
};

/** A value that is checked later, so that a wrong one can be answered in words. */
export const value: Field<unknown> = {
  read: (scanner) => JSON.parse(scanner.readRaw().toString()) as unknown,
  zero: undefined,
  schema: {},
};

export function listOf<T>({ read, zero, takesNull = false, schema }: Field<T>): Field<readonly T[]> {
  const element = (scanner: JsonScanner): T => (!takesNull && scanner.takeNull() ? zero : read(scanner));
  return {
    read: (scanner) => {
      const list: T[] = [];
      if (scanner.enterArray()) {
        do list.push(element(scanner));
        while (scanner.nextElement());
      }
      return list;
    },
    zero: [],
    schema: { type: 'array', items: schema },
  };
}

export const textMap: Field<Readonly<Record<string, string>> | undefined> = {
  read: (scanner) => {
    const entries: [string, string][] = [];
    if (scanner.enterObject()) {
      do entries.push([scanner.readMapKey(), scanner.takeNull() ? '' : scanner.readString()]);
      while (scanner.nextMember());
    }
    return Object.fromEntries(entries);
  },
  zero: undefined,
  schema: { type: 'object', additionalProperties: { type: 'string' } },
};

export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

/** An object of known fields; others are passed over. Of two with one name the last counts. */
export function record<T extends object>(fields: Fields<T>): Field<T> {
  const entries = Object.entries(fields as Record<string, Field<unknown>>).map(([name, field]) => ({
    name,
    key: snakeCase(name),
    field,
  }));
  const keys = new KeyTable(entries);
  const zero = Object.fromEntries(entries.map(({ name, field }) => [name, field.zero])) as T;
  return {
    read: (scanner) => {
      const result = { ...zero } as Record<string, unknown>;
      if (scanner.enterObject()) {
        do {
          const entry = scanner.readKey(keys);
          if (entry === undefined) scanner.skip();
          else if (entry.field.takesNull === true || !scanner.takeNull())
            result[entry.name] = entry.field.read(scanner);
        } while (scanner.nextMember());
      }
      return result as T;
    },
    zero,
    schema: {
      type: 'object',
      properties: Object.fromEntries(entries.map(({ key, field }) => [key, field.schema])),
    },
  };
}

export function optional<T>({ read, schema }: Field<T>): Field<T | undefined> {
  return { read, zero: undefined, schema };
}

export function described<T>(field: Field<T>, description: string, schema: JsonSchema = {}): Field<T> {
  return { ...field, schema: { ...field.schema, ...schema, description } };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
}
