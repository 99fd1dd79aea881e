import { All, Controller, HttpException, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

interface Reply {
  header(name: string, value: string): unknown;
}

const UPGRADE_REQUIRED = 426;

/** Answers plain HTTP at the paths of sockets. Mostly it is a proxy in front that does not pass the upgrade on. */
@ApiExcludeController()
@Controller()
export class UpgradeRequiredController {
  @All(['message', 'connection/websocket'])
  refuse(@Res({ passthrough: true }) reply: Reply): never {
    reply.header('Upgrade', 'websocket');
    reply.header('Connection', 'Upgrade');
    throw new HttpException(
      'this is the path of a WebSocket, and no upgrade was asked for; a proxy in front has to pass on Upgrade and Connection',
      UPGRADE_REQUIRED,
    );
  }
}
