import { connectInMemory } from './memory-client.js';
import { describeTransport } from './transport.contract.js';
import { connectByWebSocket } from './websocket-client.js';

describeTransport('a WebSocket', connectByWebSocket);
describeTransport('a transport in memory', connectInMemory);
