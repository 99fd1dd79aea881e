import type {
  ConnectAttempt,
  PublishAttempt,
  RefreshAttempt,
  RpcAttempt,
  SubRefreshAttempt,
  SubscribeAttempt,
} from './attempts.js';
import type {
  Awaitable,
  ConnectDecision,
  PublishDecision,
  RefreshDecision,
  RpcDecision,
  SubRefreshDecision,
  SubscribeDecision,
} from './decisions.js';

/**
 * Decides what clients may do. A protocol asks it, carries out the decision, and maps a refusal to its own codes.
 *
 * Authorizers form a chain: the first one that does not abstain decides. A method that an authorizer does not have abstains. If all
 * of them abstain, the attempt is refused. A call of a method is then refused as a method that does not exist.
 *
 * What the caller does:
 * - It asks for one attempt of a connection at a time, in the order of the client, and waits for the decision. Only where a proxy
 *   renews connections or subscriptions, it asks for `refresh` and `subRefresh` at the same time, without a token.
 * - It checks the form of a command, the channel's name and the limits of the connection before it asks.
 * - It ignores a decision about a connection that has ended in the meantime.
 * - If an authorizer throws, rejects or takes longer than `gateway.authorizerTimeoutMs`, the client gets an internal error, which it
 *   may retry. No other authorizer is asked then.
 *
 * What an authorizer does:
 * - It returns the decision itself where it can: a promise costs time for every client that arrives.
 * - It does not change an attempt, and copies the bytes that it keeps: they are views of the client's message.
 *
 * Not promised: that a decision is asked for again. It holds until the connection or the subscription ends or expires. A protocol
 * uses only the methods that it has commands for: the raw socket calls only `connect`, and ignores user, data and channels.
 */
export abstract class Authorizer {
  /** A client connects, with or without a token. */
  connect?(attempt: ConnectAttempt): Awaitable<ConnectDecision>;
  /** A client presents a new token, because its connection will expire. */
  refresh?(attempt: RefreshAttempt): Awaitable<RefreshDecision>;
  /** A client subscribes to a channel, or names it when it connects. */
  subscribe?(attempt: SubscribeAttempt): Awaitable<SubscribeDecision>;
  /** A client presents a new token, because its subscription will expire. */
  subRefresh?(attempt: SubRefreshAttempt): Awaitable<SubRefreshDecision>;
  /** A client publishes to a channel. */
  publish?(attempt: PublishAttempt): Awaitable<PublishDecision>;
  /** A client calls a method of the application. */
  rpc?(attempt: RpcAttempt): Awaitable<RpcDecision>;
}
