/** A chat as it is written for an AWS WebSocket API: one function for all routes. It does not know that it runs behind Carillon. */
import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';

interface WebSocketEvent {
  readonly requestContext: {
    readonly routeKey: string;
    readonly connectionId: string;
    readonly domainName: string;
    readonly stage: string;
  };
  readonly body?: string;
}

/** On AWS this would be a table. */
const connections = new Set<string>();

export async function handler(event: WebSocketEvent): Promise<{ statusCode: number; body?: string }> {
  const { routeKey, connectionId } = event.requestContext;
  switch (routeKey) {
    case '$connect':
      connections.add(connectionId);
      break;
    case '$disconnect':
      connections.delete(connectionId);
      break;
    case 'say':
      await sendToOthers(event, (JSON.parse(event.body ?? '{}') as { text: string }).text);
      break;
    default:
      return { statusCode: 200, body: `there is no action for ${event.body}` };
  }
  return { statusCode: 200 };
}

async function sendToOthers({ requestContext }: WebSocketEvent, text: string): Promise<void> {
  const { domainName, stage, connectionId } = requestContext;
  // The environment has the credentials and the region. On AWS the endpoint is `https://${domainName}/${stage}`.
  const client = new ApiGatewayManagementApiClient({ endpoint: `http://${domainName}/${stage}` });
  const others = [...connections].filter((id) => id !== connectionId);
  await Promise.all(
    others.map((ConnectionId) => client.send(new PostToConnectionCommand({ ConnectionId, Data: text }))),
  );
  client.destroy();
}
