import { acceptsData } from '../../../../delivery/index.js';
import { isJson } from '../../../../json/index.js';
import { newMessageId } from '../../../../message/index.js';
import type { PublishRequest } from '../codec/commands.js';
import { CommandRefusedError, replyErrors } from '../centrifugo.errors.js';
import type { Session } from '../session/session.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import { OwnPublication } from '../subscriptions/own-publication.js';
import { attemptOf } from './attempts.js';
import { ruleOf } from './channel-checks.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { allowance } from './refusals.js';

/** Handles the publications of clients. */
export class PublishHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async publish(session: Session, id: number, { channel, data, type }: PublishRequest): Promise<void> {
    const { rules, authorizer, delivery } = this.dependencies;
    const rule = ruleOf(rules, channel);
    // Type 1 writes to a map, and no namespace has maps.
    if (type !== 0) throw new CommandRefusedError(replyErrors.permissionDenied);
    const { publicationDataFormat: format } = rule.options;
    if (data === undefined || !acceptsData(format, data))
      throw new CommandRefusedError(replyErrors.badRequest);
    const isSubscribed = session.subscriptions.get(channel)?.isLive ?? false;
    const asked = authorizer.publish({ ...attemptOf(session), channel, rule, data, isSubscribed });
    const allowed = allowance('publish', 'outcome' in asked ? asked : await asked);
    if (session.isOver) return;
    const { outcome: _, data: replacement, tags, ...terms } = allowed;
    if (replacement !== undefined && !acceptsData(format, replacement))
      throw new CommandRefusedError(replyErrors.badRequest);
    const published = replacement ?? data;
    const message = {
      ...(tags !== undefined && { tags }),
      channel,
      // A copy: otherwise all bytes that came in the same read would be kept with it.
      data: Buffer.copyBytesFrom(published),
      format:
        (replacement === undefined && session.encoding === 'json') || isJson(published) ? 'json' : 'binary',
      createdAt: Date.now(),
    } as const;
    const subscription = session.subscriptions.get(channel);
    const options = { ...terms, info: session.clientInfo(subscription?.info) };
    // A publication that is dropped for its key or its version never comes back.
    const mayBeDropped = terms.idempotencyKey !== undefined || terms.version !== undefined;
    if (subscription === undefined || mayBeDropped) await delivery.publish(message, 'direct', options);
    else await seenBy(subscription, (own) => delivery.publish({ ...message, ...own }, 'direct', options));
    session.reply(id, 'publish', {});
  }
}

/** The client receives its own publication before the reply to its command, also where it comes back through a store. */
async function seenBy(
  subscription: ClientSubscription,
  send: (own: { readonly id: string }) => Promise<unknown>,
): Promise<void> {
  const id = newMessageId();
  const own = new OwnPublication(id);
  subscription.awaited = own;
  try {
    await send({ id });
    await own.seen();
  } finally {
    subscription.awaited = undefined;
  }
}
