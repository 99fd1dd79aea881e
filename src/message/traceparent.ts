/** https://www.w3.org/TR/trace-context/#traceparent-header: version, trace id, parent id, flags; later versions may append. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?=$|-)/;

/** The valid part of a `traceparent` header. An invalid one is dropped, as the standard asks: it is never an error. */
export function readTraceparent(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  const [parent] = TRACEPARENT.exec(header) ?? [];
  return header.startsWith('00') && parent !== header ? undefined : parent;
}
