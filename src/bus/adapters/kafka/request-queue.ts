import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

let isMended = false;

/**
 * kafkajs 2.2.4 looks a thousand times a second, over each connection and for ever, whether requests wait for their turn,
 * and Node 24 warns of the negative time-out by which it does: https://github.com/tulios/kafkajs/issues/1751. From here
 * on it looks only while there are some.
 */
export function patchRequestQueue(): void {
  if (isMended) return;
  isMended = true;
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    readonly prototype: RequestQueue;
  };
  const { scheduleCheckPendingRequests: look } = prototype;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) look.call(this);
  };
}
