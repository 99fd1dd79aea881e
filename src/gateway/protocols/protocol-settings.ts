import type { z } from 'zod';

/** The settings of one protocol, which users find under `gateway.<key>`. */
export class ProtocolSettings<Key extends string = string, Schema extends z.ZodType = z.ZodType> {
  constructor(
    readonly key: Key,
    readonly schema: Schema,
  ) {}

  /** Returns the protocol's part of the gateway's options, which were parsed with the schema. */
  of(gatewayOptions: object): z.output<Schema> {
    return (gatewayOptions as Record<Key, z.output<Schema>>)[this.key];
  }
}
