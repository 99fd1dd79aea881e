import { Module } from '@nestjs/common';
import { CentrifugoGateway } from './centrifugo/centrifugo.gateway.js';
import { Sessions } from './centrifugo/sessions.js';
import { Connections } from './connections.js';
import { Doorkeeper } from './doorkeeper.js';
import { Drain } from './drain.js';
import { gatewayInstruments, GatewayMetrics } from './gateway.metrics.js';
import { ConfigurableGatewayModule } from './gateway.module-definition.js';
import { outboxInstrument } from './outbox.metrics.js';
import { RawGateway } from './raw.gateway.js';
import { UpgradeRequiredController } from './upgrade-required.controller.js';

/** The socket edge. Besides importing it, an application takes `WebSocketAdapter` as its adapter. */
@Module({
  controllers: [UpgradeRequiredController],
  providers: [
    CentrifugoGateway,
    Connections,
    Doorkeeper,
    Drain,
    GatewayMetrics,
    RawGateway,
    Sessions,
    outboxInstrument,
    ...gatewayInstruments,
  ],
})
export class GatewayModule extends ConfigurableGatewayModule {}
