import { CarillonError } from '../errors.js';
import type { CallbackError } from './callback-answers.js';

/** Thrown to answer a callback with an error of the Centrifugo protocol. */
export class CallbackRefusedError extends CarillonError {
  readonly code = 'callback_refused';

  constructor(readonly answer: CallbackError) {
    super(answer.message);
  }
}
