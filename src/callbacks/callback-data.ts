interface WithData {
  readonly data: Buffer | undefined;
  readonly b64data: string;
}

/** The data of a callback, or undefined if the client sent none. */
export function dataOf({ data, b64data }: WithData): Buffer | undefined {
  return data ?? (b64data === '' ? undefined : Buffer.from(b64data, 'base64'));
}
