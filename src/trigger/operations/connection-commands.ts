import { Injectable } from '@nestjs/common';
import {
  ChannelRules,
  Nodes,
  type DisconnectCommand,
  type RefreshCommand,
  type SubscribeCommand,
  type UnsubscribeCommand,
} from '../../delivery/index.js';
import { ruleOf } from './channel-rule.js';
import { InvalidDisconnectError } from './operations.errors.js';

export type SubscribeRequest = Omit<SubscribeCommand, 'kind'>;
export type UnsubscribeRequest = Omit<UnsubscribeCommand, 'kind'>;
export type DisconnectRequest = Omit<DisconnectCommand, 'kind' | 'claim'>;
export type RefreshRequest = Omit<RefreshCommand, 'kind'>;

/** The close codes that clients accept, and the room for a reason in a close frame. */
const MIN_CLOSE_CODE = 3000;
const MAX_CLOSE_CODE = 4999;
const MAX_REASON_BYTES = 123;

/**
 * Sends commands to the connections of a user, on whichever node they are. The promises resolve when the command is sent,
 * not when it has taken effect. It is not an error if the user has no connections.
 *
 * @throws BrokerUnavailableError from every method
 */
@Injectable()
export class ConnectionCommands {
  constructor(
    private readonly nodes: Nodes,
    private readonly rules: ChannelRules,
  ) {}

  /** @throws InvalidChannelError, UnknownNamespaceError */
  async subscribe(request: SubscribeRequest): Promise<void> {
    ruleOf(this.rules, request.channel);
    await this.nodes.command({ ...request, kind: 'subscribe' });
  }

  /** @throws InvalidChannelError also for an empty name, which client libraries do not expect; UnknownNamespaceError */
  async unsubscribe(request: UnsubscribeRequest): Promise<void> {
    ruleOf(this.rules, request.channel);
    await this.nodes.command({ ...request, kind: 'unsubscribe' });
  }

  /** @throws InvalidDisconnectError */
  async disconnect(request: DisconnectRequest): Promise<void> {
    if (request.disconnect !== undefined) checkDisconnect(request.disconnect);
    await this.nodes.command({ ...request, kind: 'disconnect' });
  }

  async refresh(request: RefreshRequest): Promise<void> {
    await this.nodes.command({ ...request, kind: 'refresh' });
  }
}

function checkDisconnect({ code, reason }: NonNullable<DisconnectRequest['disconnect']>): void {
  if (code < MIN_CLOSE_CODE || code > MAX_CLOSE_CODE)
    throw new InvalidDisconnectError(`disconnect.code must be ${MIN_CLOSE_CODE} to ${MAX_CLOSE_CODE}`);
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES)
    throw new InvalidDisconnectError(`disconnect.reason must be at most ${MAX_REASON_BYTES} bytes`);
}
