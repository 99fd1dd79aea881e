/** The position of a message. Numbers above 2^53 do not occur: a ledger id is a counter of the whole cluster. */
export interface MessagePosition {
  readonly position: string;
  readonly partition: number;
}

/**
 * Parses a serialized message id, which is the same in both protocols: `MessageIdData` of PulsarApi.proto, fields 1
 * (ledger), 2 (entry), 3 (partition) and 4 (index in a batch), all of them varints.
 */
export function parseMessageId(serialized: Buffer): MessagePosition {
  const fields = new Map<number, bigint>();
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; offset < serialized.length; shift += 7n) {
      const byte = serialized[offset++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return BigInt.asIntN(64, value);
  };
  while (offset < serialized.length) {
    const tag = varint();
    // Any other type begins a part that only the broker needs (the first chunk of a chunked message).
    if ((tag & 7n) !== 0n) break;
    fields.set(Number(tag >> 3n), varint());
  }
  const valueOf = (field: number, byDefault: bigint): bigint => fields.get(field) ?? byDefault;
  return {
    position: `${valueOf(1, 0n)}:${valueOf(2, 0n)}:${valueOf(3, -1n)}:${valueOf(4, -1n)}`,
    partition: Math.max(0, Number(valueOf(3, -1n))),
  };
}
