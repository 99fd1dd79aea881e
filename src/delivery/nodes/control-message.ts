import type { ControlCommand } from './control-command.js';
import type { NodeInfo } from './node-info.js';

/** What nodes say to one another. */
export type ControlMessage =
  | { readonly say: 'command'; readonly command: ControlCommand }
  | { readonly say: 'here'; readonly node: NodeInfo }
  /** A new node, that wants to know of the others. */
  | { readonly say: 'hello'; readonly node: NodeInfo }
  | { readonly say: 'bye'; readonly uid: string }
  /** Which channels that fit the pattern have how many subscribers on each node? */
  | { readonly say: 'channels?'; readonly survey: string; readonly from: string; readonly pattern: string }
  | {
      readonly say: 'channels';
      readonly survey: string;
      readonly uid: string;
      readonly counts: Readonly<Record<string, number>>;
    };

export function encodeControl(message: ControlMessage): Buffer {
  // Bytes become base64 before their own `toJSON` would turn them into lists of numbers.
  return Buffer.from(
    JSON.stringify(message, function (this: Record<string, unknown>, key: string, value: unknown) {
      const original = this[key];
      return Buffer.isBuffer(original) ? { base64: original.toString('base64') } : value;
    }),
  );
}

/** `undefined` for what is no such message, as another version of this program may send. */
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
