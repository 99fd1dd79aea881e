import type { Field, JsonSchema, Schema } from './schema.js';

/** Describes messages for an OpenAPI document. A message must not contain messages of its own kind. */
export function jsonSchemaOf({ fields }: Schema): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(
      fields.map((field) => [field.key, { ...fieldSchema(field), ...field.documentation }]),
    ),
  };
}

function fieldSchema(field: Field): JsonSchema {
  switch (field.many) {
    case 'list':
      return { type: 'array', items: valueSchema(field) };
    case 'map':
      return { type: 'object', additionalProperties: valueSchema(field) };
    case 'no':
      return valueSchema(field);
  }
}

function valueSchema({ kind, of }: Field): JsonSchema {
  switch (kind) {
    case 'string':
      return { type: 'string' };
    case 'bool':
      return { type: 'boolean' };
    case 'uint32':
    case 'uint64':
    case 'wideUint64':
      return { type: 'integer', minimum: 0 };
    case 'int32':
    case 'int64':
    case 'sint64':
    case 'wideInt64':
      return { type: 'integer' };
    case 'payload':
      return {};
    case 'message':
      return of === undefined ? {} : jsonSchemaOf(of());
  }
}
