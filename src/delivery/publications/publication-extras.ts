import { blobLength, type ByteReader } from './byte-reader.js';
import { encodeClientInfo, readClientInfo } from '../presence/client-info-bytes.js';
import type { Publication, PublicationFields, PublicationKind } from './publication.js';

/** By position: the wire form contains the index, so a new kind goes to the end. */
const KINDS: readonly PublicationKind[] = ['message', 'join', 'leave', 'control'];

const HAS_TAGS = 1;
const HAS_INFO = 2;
const IS_DELTA = 4;
const KIND_SHIFT = 4;
const KIND_MASK = 3;

/** The fields that few publications have. */
export type Extras = Pick<PublicationFields, 'kind' | 'tags' | 'info' | 'delta'>;

/**
 * Returns undefined for a publication without any of them.
 *
 * ```
 * 1  flags: 1 tags · 2 info · 4 delta · 16…48 index of the kind
 * 4  length of the tags, then the tags as JSON   (if flagged)
 *    info, see `client-info-bytes.ts`            (if flagged)
 * ```
 */
export function encodeExtras({ kind, tags, info, delta }: Publication): Buffer | undefined {
  if (kind === 'message' && tags === undefined && info === undefined && !delta) return undefined;
  const flags =
    (tags === undefined ? 0 : HAS_TAGS) |
    (info === undefined ? 0 : HAS_INFO) |
    (delta ? IS_DELTA : 0) |
    (KINDS.indexOf(kind) << KIND_SHIFT);
  const parts: Buffer[] = [Buffer.of(flags)];
  if (tags !== undefined) {
    const json = Buffer.from(JSON.stringify(tags));
    parts.push(blobLength(json), json);
  }
  if (info !== undefined) parts.push(encodeClientInfo(info));
  return Buffer.concat(parts);
}

export function readExtras(reader: ByteReader): Extras | undefined {
  const flags = reader.byte();
  const tags = flags & HAS_TAGS ? parseTags(reader.blob()) : undefined;
  if (flags & HAS_TAGS && tags === undefined) return undefined;
  return {
    kind: KINDS[(flags >> KIND_SHIFT) & KIND_MASK]!,
    delta: (flags & IS_DELTA) !== 0,
    tags,
    info: flags & HAS_INFO ? readClientInfo(reader) : undefined,
  };
}

function parseTags(json: Buffer): Record<string, string> | undefined {
  try {
    return JSON.parse(json.toString()) as Record<string, string>;
  } catch {
    return undefined;
  }
}
