export {
  connectionChannel,
  identityChannel,
  isReserved,
  newConnectionId,
  userChannel,
} from './channels/address.js';
export {
  channelOptionNames,
  channelsOptions,
  type ChannelOptions,
  type ChannelsOptions,
} from './channels/channel-options.js';
export {
  decidePublish,
  type ChannelDecision,
  decideSubscribe,
  mayReadHistory,
  mayReadPresence,
  type Requester,
} from './channels/channel-permissions.js';
export {
  ChannelRules,
  type ChannelFault,
  type ChannelRule,
  type PersonalChannelOptions,
} from './channels/channel-rules.js';
export { acceptsData } from './channels/publication-data.js';
export {
  featuresOf,
  type SubscriptionFeatures,
  type SubscriptionOverride,
  type RequestedFeatures,
} from './channels/subscription-features.js';
export type { ChannelHistoryQuery, PublishableMessage } from './history/channel-history.js';
export {
  FanoutClosedError,
  LeaseEndedError,
  NodeSilentError,
  SurveyIncompleteError,
  PresenceTooLargeError,
  UnrecoverablePositionError,
} from './delivery.errors.js';
export { Delivery } from './delivery.js';
export { DeliveryModule } from './delivery.module.js';
export { LaneConsumersModule } from './consumers/lane-consumers.module.js';
export { EmbeddedEngine, EmbeddedEngineModule } from './embedded-engine.module.js';
export { deliveryOptions, type DeliveryOptions } from './delivery.options.js';
export type { HistoryEntry, HistoryOptions, HistoryPage, HistoryQuery } from './history/history.port.js';
export type {
  Takeover,
  CommandHandler,
  CommandTarget,
  ControlCommand,
  DisconnectCommand,
  RefreshCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from './nodes/control-command.js';
export type { Audience, NodeInfo } from './nodes/node-info.js';
export { Nodes } from './nodes/nodes.js';
export type { ClientInfo } from './presence/client-info.js';
export { Presence, type PresenceStats } from './presence/presence.port.js';
export { Publication, type Lane, type StreamPosition } from './publications/publication.js';
export {
  fromMessageExtension,
  toMessageExtension,
  type PublishOptions,
  type QueuedPublishOptions,
} from './publications/publish-options.js';
export {
  ConnectionCalls,
  type ConnectionCallHandler,
  type ConnectionStatus,
} from './registry/connection-calls.js';
export { Registrations, type RegistrationsHandler } from './registry/registrations.js';
export { type RegisteredConnection, Registry, type RegistryQuery } from './registry/registry.port.js';
export type { Subscriber } from './subscribers/subscriber.js';
