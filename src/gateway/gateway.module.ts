import { Module } from '@nestjs/common';
import { Authorization } from './protocols/centrifugo/session/authorization.js';
import { Authorizers } from './auth/authorizers.js';
import { CentrifugoGateway } from './protocols/centrifugo/centrifugo.gateway.js';
import { Sessions } from './protocols/centrifugo/session/sessions.js';
import { Connections } from './connection/connections.js';
import { ConnectionAdmission } from './connection/connection-admission.js';
import { Drain } from './connection/drain.js';
import { gatewayInstruments, GatewayMetrics } from './gateway.metrics.js';
import { ConfigurableGatewayModule } from './gateway.module-definition.js';
import { outboxInstrument } from './connection/outbox.metrics.js';
import { RawGateway } from './protocols/raw/raw.gateway.js';
import { UpgradeRequiredController } from './websocket/upgrade-required.controller.js';

/** The socket edge. Besides importing it, an application takes `WebSocketAdapter` as its adapter. */
@Module({
  controllers: [UpgradeRequiredController],
  providers: [
    Authorization,
    Authorizers,
    CentrifugoGateway,
    Connections,
    ConnectionAdmission,
    Drain,
    GatewayMetrics,
    RawGateway,
    Sessions,
    outboxInstrument,
    ...gatewayInstruments,
  ],
})
export class GatewayModule extends ConfigurableGatewayModule {}
