import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

let isPatched = false;

/**
 * Makes kafkajs check its queue of pending requests only while there are any. Version 2.2.4 checks it a thousand times a second on
 * every connection, with a negative time-out of which Node 24 warns: https://github.com/tulios/kafkajs/issues/1751.
 */
export function patchRequestQueue(): void {
  if (isPatched) return;
  isPatched = true;
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    readonly prototype: RequestQueue;
  };
  const { scheduleCheckPendingRequests: schedule } = prototype;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) schedule.call(this);
  };
}
