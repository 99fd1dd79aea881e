/** Where a message lies. Numbers beyond 2^53 do not occur: a ledger id is a counter of the whole cluster. */
export interface MessagePlace {
  readonly position: string;
  readonly partition: number;
}

/**
 * Reads the serialized form of a message id, which both protocols have: `MessageIdData` of PulsarApi.proto, fields 1
 * (ledger), 2 (entry), 3 (partition) and 4 (index in a batch), all varints.
 */
export function placeOf(serialized: Buffer): MessagePlace {
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
    // Anything but a varint begins what only the broker reads (the first chunk of a chunked message).
    if ((tag & 7n) !== 0n) break;
    fields.set(Number(tag >> 3n), varint());
  }
  const at = (field: number, otherwise: bigint): bigint => fields.get(field) ?? otherwise;
  return {
    position: `${at(1, 0n)}:${at(2, 0n)}:${at(3, -1n)}:${at(4, -1n)}`,
    partition: Math.max(0, Number(at(3, -1n))),
  };
}
