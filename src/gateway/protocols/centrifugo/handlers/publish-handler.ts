import { acceptsData, decidePublish } from '../../../../delivery/index.js';
import { newMessageId } from '../../../../message/index.js';
import { isJson } from '../../../../json/index.js';
import { ruleOf } from './channel-checks.js';
import type { ClientSubscription } from '../subscriptions/client-subscription.js';
import type { PublishRequest } from '../codec/commands.js';
import { CommandRefusedError, replyErrors } from '../centrifugo.errors.js';
import { OwnPublication } from '../subscriptions/own-publication.js';
import type { Session } from '../session/session.js';
import type { HandlerDependencies } from './handler-dependencies.js';

/** What clients publish themselves. */
export class PublishHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async publish(session: Session, id: number, request: PublishRequest): Promise<void> {
    const { channel, data } = request;
    const { rules, options, delivery } = this.dependencies;
    const rule = ruleOf(rules, channel);
    // Nothing can be written to a map where every namespace is one of streams.
    if (request.type !== 0) throw new CommandRefusedError(replyErrors.permissionDenied);
    if (data === undefined || !acceptsData(rule.options.publicationDataFormat, data))
      throw new CommandRefusedError(replyErrors.badRequest);
    const subscription = session.subscriptions.get(channel);
    const subscribed = subscription?.isLive ?? false;
    const requester = { user: session.user, subscribed, insecure: options.insecure };
    switch (decidePublish(rule, requester)) {
      case 'deny':
        throw new CommandRefusedError(replyErrors.permissionDenied);
      case 'askProxy':
        throw new CommandRefusedError(replyErrors.notAvailable);
      case 'allow':
    }
    const message = {
      channel,
      // What came with it in the same read would be kept as well.
      data: Buffer.copyBytesFrom(data),
      format: session.encoding === 'json' || isJson(data) ? 'json' : 'binary',
      createdAt: Date.now(),
    } as const;
    const from = { info: session.clientInfo(subscription?.info) };
    if (subscription === undefined) await delivery.publish(message, 'direct', from);
    else await seenBy(subscription, (own) => delivery.publish({ ...message, ...own }, 'direct', from));
    session.answer(id, 'publish', {});
  }
}

/** The client gets its own publication before it is told that it was published, also where it comes back through a store. */
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
