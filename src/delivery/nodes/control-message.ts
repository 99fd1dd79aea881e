import type { ControlCommand } from './control-command.js';
import type { NodeInfo } from './node-info.js';

/** A request to one node. */
export interface NodeRequest {
  readonly say: 'ask';
  readonly call: string;
  readonly from: string;
  readonly subject: string;
  readonly data: Buffer;
}

export interface NodeReply {
  readonly say: 'answer';
  readonly call: string;
  readonly data: Buffer;
}

/** A message between nodes. */
export type ControlMessage =
  | NodeRequest
  | NodeReply
  | { readonly say: 'command'; readonly command: ControlCommand }
  | { readonly say: 'here'; readonly node: NodeInfo }
  /** A new node requests the announcements of the others. */
  | { readonly say: 'hello'; readonly node: NodeInfo }
  | { readonly say: 'bye'; readonly uid: string }
  /** Requests the number of subscribers of each channel that matches the pattern. */
  | { readonly say: 'channels?'; readonly survey: string; readonly from: string; readonly pattern: string }
  | {
      readonly say: 'channels';
      readonly survey: string;
      readonly uid: string;
      readonly counts: Readonly<Record<string, number>>;
    };

export function encodeControl(message: ControlMessage): Buffer {
  // Buffers become base64 here, because their own `toJSON` would make lists of numbers of them.
  return Buffer.from(
    JSON.stringify(message, function (this: Record<string, unknown>, key: string, value: unknown) {
      const original = this[key];
      return Buffer.isBuffer(original) ? { base64: original.toString('base64') } : value;
    }),
  );
}

/** Returns undefined for anything else, which another version of this program may send. */
export function decodeControl(data: Buffer): ControlMessage | undefined {
  try {
    const message = JSON.parse(data.toString(), (key, value: unknown) =>
      (key === 'info' || key === 'data') && isBytes(value) ? Buffer.from(value.base64, 'base64') : value,
    ) as ControlMessage | null;
    return typeof message?.say === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}

function isBytes(value: unknown): value is { base64: string } {
  return typeof value === 'object' && value !== null && 'base64' in value && typeof value.base64 === 'string';
}
