import type { ChannelOptions } from './channel-options.js';

/** Whether the data may be published in channels with this format. An absent payload counts as an empty one. */
export function acceptsData(format: ChannelOptions['publicationDataFormat'], data: Buffer): boolean {
  switch (format) {
    case 'binary':
      return true;
    case '':
      return data.length > 0;
    case 'json':
      return parse(data) !== undefined;
    case 'json_object': {
      const value = parse(data);
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    }
  }
}

function parse(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString()) as unknown;
  } catch {
    return undefined;
  }
}
