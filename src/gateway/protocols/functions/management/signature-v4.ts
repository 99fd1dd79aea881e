import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/*
 * AWS Signature Version 4 in the `Authorization` header. A caller signs the method, the path, the query, some headers and the body
 * with a key that is derived from its secret:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SERVICE = 'execute-api';
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=(\w{4,128})\/(\d{8})\/([\w-]{1,64})\/([\w-]{1,64})\/aws4_request, *SignedHeaders=([a-z\d;_-]{1,2048}), *Signature=([0-9a-f]{64})$/;
const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
/** Without these, a signature could be used for another server, or for ever. */
const REQUIRED = ['host', 'x-amz-date'];

/** What the `Authorization` header says. */
export interface ClaimedSignature {
  readonly accessKeyId: string;
  /** Unix time in ms. */
  readonly signedAt: number;
  readonly scope: { readonly date: string; readonly region: string };
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export function isSigned({ authorization }: IncomingHttpHeaders): boolean {
  return authorization?.startsWith(ALGORITHM) === true;
}

/** Returns undefined if the headers have no signature that could be valid. */
export function readSignature(headers: IncomingHttpHeaders): ClaimedSignature | undefined {
  const [, accessKeyId, date, region, service, names, signature] =
    AUTHORIZATION.exec(headers.authorization ?? '') ?? [];
  if (accessKeyId === undefined || date === undefined || region === undefined) return undefined;
  if (service !== SERVICE || names === undefined || signature === undefined) return undefined;
  const amzDate = String(headers['x-amz-date'] ?? '');
  const signedAt = timeOf(amzDate);
  if (Number.isNaN(signedAt) || !amzDate.startsWith(date)) return undefined;
  const signedHeaders = names.split(';');
  if (!REQUIRED.every((name) => signedHeaders.includes(name))) return undefined;
  return { accessKeyId, signedAt, scope: { date, region }, signedHeaders, signature };
}

/** Compares in constant time. */
export function hasValidSignature(
  request: SignedRequest,
  body: Buffer,
  claimed: ClaimedSignature,
  secret: string,
): boolean {
  const { date, region } = claimed.scope;
  const scope = `${date}/${region}/${SERVICE}/aws4_request`;
  const canonical = canonicalRequest(request, body, claimed.signedHeaders);
  const amzDate = String(request.headers['x-amz-date']);
  const text = `${ALGORITHM}\n${amzDate}\n${scope}\n${hash('sha256', canonical)}`;
  const key = [date, region, SERVICE, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return timingSafeEqual(hmac(key, text), Buffer.from(claimed.signature, 'hex'));
}

function canonicalRequest(
  { method, url, headers }: SignedRequest,
  body: Buffer,
  names: readonly string[],
): string {
  const queryAt = url.indexOf('?');
  const path = queryAt < 0 ? url : url.slice(0, queryAt);
  const query = queryAt < 0 ? '' : url.slice(queryAt + 1);
  const lines = names
    .map((name) => `${name}:${canonicalValue(Object.hasOwn(headers, name) ? headers[name] : '')}\n`)
    .join('');
  // Every service but S3 encodes the path a second time.
  const encoded = path.split('/').map(encode).join('/');
  return [method, encoded, canonicalQuery(query), lines, names.join(';'), hash('sha256', body)].join('\n');
}

function canonicalQuery(query: string): string {
  return [...new URLSearchParams(query)]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted(byCodeUnits)
    .join('&');
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function canonicalValue(value: string | readonly string[] | undefined): string {
  return [value ?? '']
    .flat()
    .map((each) => each.trim().replaceAll(/ +/g, ' '))
    .join(',');
}

/** As RFC 3986 says: `encodeURIComponent` leaves more characters as they are. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (each) => `%${each.codePointAt(0)!.toString(16).toUpperCase()}`,
  );
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function timeOf(amzDate: string): number {
  return Date.parse(amzDate.replace(AMZ_DATE, '$1-$2-$3T$4:$5:$6Z'));
}
