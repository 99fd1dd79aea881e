/** Version, trace id, parent id, flags. Later versions may add more: https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;

/** Returns the valid part of a `traceparent` header, or undefined: the standard says to ignore an invalid one. */
export function readTraceparent(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  const [parent] = TRACEPARENT.exec(header) ?? [];
  return header.startsWith('00') && parent !== header ? undefined : parent;
}
