import { closeCodes } from '../close-codes.js';
import type { RpcRequest } from '../codec/commands.js';
import { isEncodable } from '../codec/publication-formats.js';
import { CommandRefusedError, DisconnectError, replyErrors } from '../centrifugo.errors.js';
import type { Session } from '../session/session.js';
import { attemptOf } from './attempts.js';
import type { HandlerDependencies } from './handler-dependencies.js';
import { allowance } from './refusals.js';

/** Handles calls of methods that the application has. This server has none itself. */
export class RpcHandler {
  constructor(private readonly dependencies: HandlerDependencies) {}

  async rpc(session: Session, id: number, { method, data }: RpcRequest): Promise<void> {
    const asked = this.dependencies.authorizer.rpc({ ...attemptOf(session), method, data });
    const decision = 'outcome' in asked ? asked : await asked;
    if (decision.outcome === 'abstained') throw new CommandRefusedError(unknownMethod(method));
    const { data: result } = allowance('rpc', decision);
    if (!isEncodable(session.encoding, result)) throw new DisconnectError(closeCodes.inappropriateProtocol);
    session.reply(id, 'rpc', { data: result });
  }
}

/** Centrifugo distinguishes a method in a namespace that is not configured from a method without a namespace. */
function unknownMethod(method: string) {
  return method.indexOf(':') > 0 ? replyErrors.methodNotFound : replyErrors.notAvailable;
}
