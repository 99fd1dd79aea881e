import { CarillonError } from '../../errors.js';

/** The name is not valid for a channel. */
export class InvalidChannelError extends CarillonError {
  readonly code = 'invalid_channel';

  constructor(channel: string) {
    super(channel === '' ? 'the name of the channel is empty' : `${channel} cannot be the name of a channel`);
  }
}

export class UnknownNamespaceError extends CarillonError {
  readonly code = 'unknown_namespace';

  constructor(channel: string) {
    super(`the channel ${channel} is in a namespace that is not configured`);
  }
}

/** The options of the channel do not allow the operation. */
export class NotAvailableError extends CarillonError {
  readonly code = 'not_available';

  constructor(channel: string, feature: 'presence' | 'history') {
    super(`the channel ${channel} has no ${feature}: its options do not turn it on`);
  }
}

export class InvalidPayloadError extends CarillonError {
  readonly code = 'invalid_payload';

  constructor(channel: string, format: string) {
    super(`the data must be ${format === '' ? 'at least one byte' : format} in the channel ${channel}`);
  }
}

export class InvalidPositionError extends CarillonError {
  readonly code = 'invalid_position';

  constructor() {
    super('there is no publication before offset 0: since.offset must be at least 1 when reverse is set');
  }
}

export class InvalidDisconnectError extends CarillonError {
  readonly code = 'invalid_disconnect';
}

/** The channels that match are too many for one response. */
export class TooManyChannelsError extends CarillonError {
  readonly code = 'too_many_channels';

  constructor(maxBytes: number) {
    super(
      `the names of the channels are more than ${maxBytes} bytes (api.responseMaxBytes): send a pattern that fewer of them match`,
    );
  }
}
