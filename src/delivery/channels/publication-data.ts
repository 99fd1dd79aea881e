import { isJson, isJsonObject } from '../../json/index.js';
import type { ChannelOptions } from './channel-options.js';

/** Whether the data may be published in channels with this format. An absent payload counts as an empty one. */
export function acceptsData(format: ChannelOptions['publicationDataFormat'], data: Buffer): boolean {
  switch (format) {
    case 'binary':
      return true;
    case '':
      return data.length > 0;
    case 'json':
      return isJson(data);
    case 'json_object':
      return isJsonObject(data);
  }
}
