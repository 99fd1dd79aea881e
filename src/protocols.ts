import { centrifugoProtocol } from './gateway/protocols/centrifugo/index.js';
import { functionsProtocol } from './gateway/protocols/functions/index.js';
import { rawProtocol } from './gateway/protocols/raw/index.js';

/** The client protocols that this program serves. To add one, create a folder in `gateway/protocols` and add a line here. */
export const protocols = [rawProtocol, centrifugoProtocol, functionsProtocol] as const;
