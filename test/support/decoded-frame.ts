import { MALFORMED, type FrameReader } from '../../src/gateway/protocols/centrifugo/codec/codec.js';
import type { Command } from '../../src/gateway/protocols/centrifugo/codec/commands.js';

/** Reads all commands of a frame, and whether its rest is malformed. */
export function decodedFrame(reader: FrameReader): {
  readonly commands: readonly Command[];
  readonly isMalformed: boolean;
} {
  const commands: Command[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    if (next === MALFORMED) return { commands, isMalformed: true };
    commands.push(next);
  }
  return { commands, isMalformed: false };
}
