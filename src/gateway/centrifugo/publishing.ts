import { acceptsData, decidePublish, newMessageId } from '../../delivery/index.js';
import { isJson } from '../../json/index.js';
import { ruleOf } from './channel-checks.js';
import type { PublishRequest } from './commands.js';
import { CommandRefusedError, replyErrors } from './errors.js';
import type { Session } from './session.js';
import type { Shared } from './shared.js';

/** What clients publish themselves. */
export class Publishing {
  constructor(private readonly shared: Shared) {}

  async publish(session: Session, id: number, request: PublishRequest): Promise<void> {
    const { channel, data } = request;
    const { rules, options, delivery } = this.shared;
    const rule = ruleOf(rules, channel);
    if (data === undefined || request.type !== 0) throw new CommandRefusedError(replyErrors.badRequest);
    const subscription = session.subscriptions.get(channel);
    const subscribed = subscription?.isLive ?? false;
    const asker = { user: session.user, subscribed, insecure: options.insecure };
    switch (decidePublish(rule, asker)) {
      case 'deny':
        throw new CommandRefusedError(replyErrors.permissionDenied);
      case 'askProxy':
        throw new CommandRefusedError(replyErrors.notAvailable);
      case 'allow':
    }
    if (!acceptsData(rule.options.publicationDataFormat, data))
      throw new CommandRefusedError(replyErrors.badRequest);
    await delivery.publish(
      {
        id: newMessageId(),
        channel,
        // What came with it in the same read would be kept as well.
        data: Buffer.copyBytesFrom(data),
        format: session.encoding === 'json' || isJson(data) ? 'json' : 'binary',
        createdAt: Date.now(),
      },
      'direct',
      { info: session.clientInfo(subscription?.info) },
    );
    session.answer(id, 'publish', {});
  }
}
