import { Injectable } from '@nestjs/common';
import { Nodes } from '../delivery/index.js';
import { Connections } from './connection/connections.js';
import { Protocols } from './protocols/protocols.js';

/** Reports how many clients and users are connected to this node, over all protocols. */
@Injectable()
export class AudienceReport {
  constructor(nodes: Nodes, connections: Connections, protocols: Protocols) {
    nodes.describeAudience(() => ({ numClients: connections.size, numUsers: protocols.countUsers() }));
  }
}
