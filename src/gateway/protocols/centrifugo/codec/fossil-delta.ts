/**
 * Patches in the format of Fossil SCM (https://fossil-scm.org/home/doc/trunk/www/delta_format.wiki), as clients that
 * subscribed with `delta: "fossil"` apply them. Numbers are in base 64: digits, A-Z, `_`, a-z, `~`.
 */
const DIGITS = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~');

/** The length of the blocks of the base that are indexed. */
const BLOCK = 16;
/** How many blocks with the same hash are compared at one position, so that repetitive data does not take quadratic time. */
const MAX_TRIES = 250;
/** A match of this many bytes is used without searching for a longer one. */
const LONG_MATCH = 4_096;
/**
 * How many bytes may be compared for each byte of the target. A client may publish data whose blocks all have the same hash. The
 * rest is then inserted without a search.
 */
const EFFORT = 64;
/** Space for the length line, the last insert command and the checksum, with at most 7 digits each. */
const OVERHEAD = 32;
/** The maximum number of continuation bytes of a character in UTF-8. */
const MAX_CONTINUATION = 3;

/**
 * Returns the patch that turns `base` into `target`. It is only worth sending if it is shorter than `target`.
 *
 * JSON clients receive a patch as a JSON string, so it must insert whole characters only. A copy that begins or ends inside a
 * character of the target is shortened.
 */
export function createDelta(base: Buffer, target: Buffer): Buffer {
  const patch = new Patch(target);
  patch.number(target.length, 0x0a);
  if (base.length > BLOCK) copyBlocks(patch, base, target);
  patch.insertUpTo(target.length);
  patch.number(checksum(target), 0x3b);
  return patch.finish();
}

class Patch {
  readonly #bytes: Buffer;
  readonly #target: Buffer;
  #length = 0;
  /** How many bytes of the target the commands so far produce. */
  done = 0;

  constructor(target: Buffer) {
    this.#target = target;
    this.#bytes = Buffer.allocUnsafe(target.length + OVERHEAD);
  }

  number(value: number, terminator: number): void {
    const digits = digitCount(value);
    for (let at = digits - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 64)) {
      this.#bytes[this.#length + at] = DIGITS[rest % 64]!;
    }
    this.#length += digits;
    this.#bytes[this.#length++] = terminator;
  }

  insertUpTo(end: number): void {
    if (end === this.done) return;
    this.number(end - this.done, 0x3a);
    this.#target.copy(this.#bytes, this.#length, this.done, end);
    this.#length += end - this.done;
    this.done = end;
  }

  copy(count: number, offset: number): void {
    this.number(count, 0x40);
    this.number(offset, 0x2c);
    this.done += count;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** The blocks of the base by their hash, as linked lists. */
class BlockIndex {
  readonly #newest: Int32Array;
  readonly #previous: Int32Array;

  constructor(base: Buffer) {
    const blocks = Math.ceil(base.length / BLOCK);
    this.#newest = new Int32Array(blocks).fill(-1);
    this.#previous = new Int32Array(blocks).fill(-1);
    for (let at = 0; at < base.length - BLOCK; at += BLOCK) {
      const slot = slotOf(hashAt(base, at), blocks);
      this.#previous[at / BLOCK] = this.#newest[slot]!;
      this.#newest[slot] = at / BLOCK;
    }
  }

  first(hash: number): number {
    return this.#newest[slotOf(hash, this.#newest.length)]!;
  }

  next(block: number): number {
    return this.#previous[block]!;
  }
}

/** Adds copies of what the base contains. The caller inserts the rest of the target. */
function copyBlocks(patch: Patch, base: Buffer, target: Buffer): void {
  const index = new BlockIndex(base);
  const search: Search = { index, base, target, left: EFFORT * target.length };
  while (patch.done + BLOCK < target.length && copyNext(patch, search));
}

interface Search {
  readonly index: BlockIndex;
  readonly base: Buffer;
  readonly target: Buffer;
  /** How many more bytes may be compared. */
  left: number;
}

function copyNext(patch: Patch, search: Search): boolean {
  const { target } = search;
  let hash = hashAt(target, patch.done);
  for (let at = patch.done; ; at++) {
    const match = bestMatch(search, hash, patch.done, at);
    if (match !== undefined) {
      patch.insertUpTo(match.start);
      patch.copy(match.count, match.offset);
      return true;
    }
    if (at + BLOCK >= target.length || search.left <= 0) return false;
    hash = rolled(hash, target[at]!, target[at + BLOCK]!);
  }
}

interface Match {
  readonly start: number;
  readonly count: number;
  readonly offset: number;
}

function bestMatch(search: Search, hash: number, done: number, at: number): Match | undefined {
  const { index, base, target } = search;
  let best: Match | undefined;
  let block = index.first(hash);
  for (
    let tries = MAX_TRIES;
    block >= 0 && tries > 0 && search.left > 0;
    block = index.next(block), tries--
  ) {
    const origin = block * BLOCK;
    let ahead = 0;
    while (
      origin + ahead < base.length &&
      at + ahead < target.length &&
      base[origin + ahead] === target[at + ahead]
    ) {
      ahead++;
    }
    let back = 0;
    while (back + 1 < origin && at - back > done && base[origin - back - 1] === target[at - back - 1]) back++;
    const start = at - back;
    const count = ahead + back;
    search.left -= count + 2;
    const cost = digitCount(start - done) + digitCount(count) + digitCount(origin - back) + 3;
    if (count < cost || count <= (best?.count ?? 0)) continue;
    best = { start, count, offset: origin - back };
    if (count >= LONG_MATCH) break;
  }
  return best === undefined ? undefined : onCharacters(best, target, done);
}

/** Removes partial characters from the ends of the match. Returns undefined if the rest is not worth a command. */
function onCharacters(match: Match, target: Buffer, done: number): Match | undefined {
  let { start, count } = match;
  const end = start + count;
  const late = continuations(target, start, 1);
  const early = continuations(target, end, -1);
  if (late === 0 && early === 0) return match;
  start += late;
  count -= late + early;
  const offset = match.offset + late;
  const cost = digitCount(start - done) + digitCount(Math.max(count, 0)) + digitCount(offset) + 3;
  return count < cost ? undefined : { start, count, offset };
}

/** Returns the distance from `at` to the nearest character boundary, or 0 if the bytes are not UTF-8. */
function continuations(target: Buffer, at: number, step: 1 | -1): number {
  let distance = 0;
  while (distance <= MAX_CONTINUATION && ((target[at + distance * step] ?? 0) & 0xc0) === 0x80) distance++;
  return distance > MAX_CONTINUATION ? 0 : distance;
}

/** Fossil's rolling hash. The low half is the sum of the bytes, the high half is weighted by their position. */
function hashAt(bytes: Buffer, at: number): number {
  let sum = 0;
  let weighted = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = bytes[at + i]!;
    sum += byte;
    weighted += (BLOCK - i) * byte;
  }
  return (sum & 0xffff) | (weighted << 16);
}

function rolled(hash: number, out: number, into: number): number {
  const sum = ((hash & 0xffff) - out + into) & 0xffff;
  const weighted = (hash >>> 16) - BLOCK * out + sum;
  return sum | (weighted << 16);
}

function slotOf(hash: number, slots: number): number {
  return (hash >>> 0) % slots;
}

function digitCount(value: number): number {
  let digits = 1;
  for (let limit = 64; value >= limit; limit *= 64) digits++;
  return digits;
}

/** The sum of the big-endian 32-bit words modulo 2³². The last word is padded with zeros. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    sum = (sum + ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)) | 0;
  }
  for (let at = whole; at < bytes.length; at++) sum = (sum + (bytes[at]! << (8 * (3 - (at & 3))))) | 0;
  return sum >>> 0;
}
