import { Module } from '@nestjs/common';
import { AudienceReport } from './audience-report.js';
import { Authorizers } from './auth/authorizers.js';
import { ConnectionAcceptor } from './connection/connection-acceptor.js';
import { Connections } from './connection/connections.js';
import { ConnectionAdmission } from './connection/connection-admission.js';
import { Drain } from './connection/drain.js';
import { gatewayInstruments, GatewayMetrics } from './gateway.metrics.js';
import { ConfigurableGatewayModule } from './gateway.module-definition.js';
import { outboxInstrument } from './connection/outbox.metrics.js';
import { UpgradeHandler } from './websocket/upgrade-handler.js';

/** The edge for clients. It serves the protocols of a list over the HTTP server of the application. */
@Module({
  providers: [
    AudienceReport,
    Authorizers,
    ConnectionAcceptor,
    Connections,
    ConnectionAdmission,
    Drain,
    GatewayMetrics,
    UpgradeHandler,
    outboxInstrument,
    ...gatewayInstruments,
  ],
})
export class GatewayModule extends ConfigurableGatewayModule {}
