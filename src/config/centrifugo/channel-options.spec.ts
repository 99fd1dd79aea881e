import { describe, expect, it } from '@jest/globals';
import { channelsOptions } from '../../delivery/index.js';
import { channelOptionNames, translateChannelOptions } from './channel-options.js';

describe('translateChannelOptions', () => {
  it('translates a namespace into options that the schema accepts', () => {
    const { options, unsupported, unknown } = translateChannelOptions({
      name: 'cache',
      history_size: 10,
      history_ttl: '300s',
      history_meta_ttl: '1h30m',
      force_recovery: true,
      force_recovery_mode: 'cache',
      auto_cache_recovery: true,
      allowed_delta_types: ['fossil'],
      channel_regex: '^[a-z]+$',
      publication_data_format: 'json_object',
      subscription_type: 'stream',
    });
    expect([...unsupported, ...unknown]).toEqual([]);
    expect(channelsOptions.parse({ namespaces: [options] }).namespaces[0]).toMatchObject({
      name: 'cache',
      historySize: 10,
      historyTtlMs: 300_000,
      historyMetaTtlMs: 5_400_000,
      forceRecovery: true,
      forceRecoveryMode: 'cache',
      autoCacheRecover: true,
      allowedDeltaTypes: ['fossil'],
      channelRegex: '^[a-z]+$',
      publicationDataFormat: 'json_object',
    });
  });

  it('ignores options that are set to a value that turns them off', () => {
    const { options, unsupported, unknown } = translateChannelOptions({
      allowed_delta_types: null,
      subscription_type: '',
      map: { mode: '', key_ttl: '0s', publish_proxy_name: 'default' },
      subscribe_stream_proxy_name: 'default',
    });
    expect([options, unsupported, unknown]).toEqual([{}, [], []]);
  });

  it('reports the options that it cannot translate', () => {
    const { options, unsupported, unknown } = translateChannelOptions({
      history_ttl: 'soon',
      presense: true,
      subscription_type: 'map',
      subscribe_stream_proxy_enabled: true,
    });
    expect(unknown).toEqual(['presense']);
    expect(unsupported).toEqual(['subscription_type', 'subscribe_stream_proxy_enabled']);
    expect(channelsOptions.safeParse({ withoutNamespace: options }).error?.issues[0]?.path).toEqual([
      'withoutNamespace',
      'historyTtlMs',
    ]);
  });

  it('leaves out what has no effect without a history', () => {
    const without = { force_positioning: true, delta_publish: true };
    expect(translateChannelOptions(without)).toMatchObject({
      options: {},
      ineffective: ['force_positioning', 'delta_publish'],
    });
    const history = { history_size: 1, history_ttl: '1s' };
    expect(translateChannelOptions({ ...without, ...history })).toMatchObject({
      options: { forcePositioning: true, deltaPublish: true },
      ineffective: [],
    });
  });

  it('knows the Centrifugo name of every option', () => {
    expect([...channelOptionNames.keys()].toSorted()).toMatchInlineSnapshot(`
     [
       "allow_history_for_anonymous",
       "allow_history_for_client",
       "allow_history_for_subscriber",
       "allow_positioning",
       "allow_presence_for_anonymous",
       "allow_presence_for_client",
       "allow_presence_for_subscriber",
       "allow_publish_for_anonymous",
       "allow_publish_for_client",
       "allow_publish_for_subscriber",
       "allow_recovery",
       "allow_subscribe_for_anonymous",
       "allow_subscribe_for_client",
       "allow_tags_filter",
       "allow_user_limited_channels",
       "allowed_delta_types",
       "auto_cache_recover",
       "auto_cache_recovery",
       "channel_regex",
       "delta_publish",
       "force_positioning",
       "force_push_join_leave",
       "force_recovery",
       "force_recovery_mode",
       "history_meta_ttl",
       "history_size",
       "history_ttl",
       "join_leave",
       "presence",
       "publication_data_format",
       "publish_proxy_enabled",
       "publish_proxy_name",
       "sub_refresh_proxy_enabled",
       "sub_refresh_proxy_name",
       "subscribe_proxy_enabled",
       "subscribe_proxy_name",
     ]
    `);
  });
});
