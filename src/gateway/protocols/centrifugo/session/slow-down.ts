import { PauseCause } from '../../../connection/pause-cause.js';
import { type TimerWheel, WheelCall } from '../../../connection/timer-wheel.js';
import type { SessionTransport } from './session-transport.js';

/** Waits, if there is a time to wait. The client is not read from meanwhile, so that TCP slows it down. */
export async function slowDown(
  transport: Pick<SessionTransport, 'pause' | 'resume'>,
  wheel: TimerWheel,
  ms: number,
): Promise<void> {
  if (ms <= 0) return;
  transport.pause(PauseCause.commands);
  await new Promise<void>((resolve) => wheel.schedule(new WheelCall(resolve), ms));
  transport.resume(PauseCause.commands);
}
