/** The topic of the live-streaming application. */
export const LIVE = 'live';

/** An anchor earned something. */
export interface AnchorIncome {
  readonly anchor: string;
  readonly income: number;
}

/** A broadcast has ended. */
export interface BroadcastEnded {
  readonly anchor: string;
  readonly minutes: number;
}
