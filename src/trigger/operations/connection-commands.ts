import { Injectable } from '@nestjs/common';
import {
  ChannelRules,
  Nodes,
  type CommandTarget,
  type ControlCommand,
  type SubscriptionOverride,
} from '../../delivery/index.js';
import { badRequest } from '../centrifugo-api/api.errors.js';
import { ruleOf } from './channels.js';
import { payloadOf } from './payload.js';
import type {
  DisconnectRequest,
  OverrideFields,
  RefreshRequest,
  SubscribeRequest,
  TargetFields,
  UnsubscribeRequest,
} from '../centrifugo-api/requests.js';

/** The close codes of the protocol and of applications, and what a close frame has room for. */
const MIN_CLOSE_CODE = 3000;
const MAX_CLOSE_CODE = 4999;
const MAX_REASON_BYTES = 123;

/**
 * What is asked of connections, on whichever node they are. Nobody waits for them: a user who is not connected is no
 * error. Every method returns its result as JSON text.
 */
@Injectable()
export class ConnectionCommands {
  constructor(
    private readonly nodes: Nodes,
    private readonly rules: ChannelRules,
  ) {}

  subscribe(request: SubscribeRequest): Promise<string> {
    const { channel, expireAt, recoverSince, override } = request;
    ruleOf(this.rules, channel);
    const info = payloadOf(request.info, request.b64info)?.data;
    const data = payloadOf(request.data, request.b64data)?.data;
    return this.#tell({
      ...targetOf(request),
      kind: 'subscribe',
      channel,
      ...(info !== undefined ? { info } : {}),
      ...(data !== undefined ? { data } : {}),
      ...(expireAt > 0 ? { expiresAt: expireAt * 1000 } : {}),
      ...(recoverSince !== undefined ? { recoverSince } : {}),
      ...(override !== undefined ? { override: overrideOf(override) } : {}),
    });
  }

  /** Centrifugo takes an empty channel, to which client libraries are not equal; here it is refused. */
  unsubscribe(request: UnsubscribeRequest): Promise<string> {
    const { channel } = request;
    ruleOf(this.rules, channel);
    return this.#tell({ ...targetOf(request), kind: 'unsubscribe', channel });
  }

  disconnect(request: DisconnectRequest): Promise<string> {
    const { whitelist } = request;
    const disconnect = request.disconnect?.code === 0 ? undefined : request.disconnect;
    if (disconnect !== undefined) checkDisconnect(disconnect);
    return this.#tell({
      ...targetOf(request),
      kind: 'disconnect',
      ...(whitelist.length > 0 ? { whitelist } : {}),
      ...(disconnect !== undefined ? { disconnect } : {}),
    });
  }

  refresh(request: RefreshRequest): Promise<string> {
    const { expired, expireAt, info } = request;
    return this.#tell({
      ...targetOf(request),
      kind: 'refresh',
      expired,
      ...(expireAt > 0 ? { expiresAt: expireAt * 1000 } : {}),
      ...(info !== undefined ? { info } : {}),
    });
  }

  async #tell(command: ControlCommand): Promise<string> {
    await this.nodes.command(command);
    return '{}';
  }
}

function targetOf({ user, client, session }: TargetFields): CommandTarget {
  return { user, ...(client !== '' ? { client } : {}), ...(session !== '' ? { session } : {}) };
}

function checkDisconnect({ code, reason }: { readonly code: number; readonly reason: string }): void {
  if (code < MIN_CLOSE_CODE || code > MAX_CLOSE_CODE)
    throw badRequest(`disconnect.code must be ${MIN_CLOSE_CODE} to ${MAX_CLOSE_CODE}`);
  if (Buffer.byteLength(reason) > MAX_REASON_BYTES)
    throw badRequest(`disconnect.reason must be at most ${MAX_REASON_BYTES} bytes`);
}

function overrideOf(fields: OverrideFields): SubscriptionOverride {
  const given = Object.entries(fields).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given.map(([name, field]: [string, { value: boolean }]) => [name, field.value]));
}
