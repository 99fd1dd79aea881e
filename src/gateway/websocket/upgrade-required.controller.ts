import { All, Controller, HttpException, Res, type Type } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

interface Reply {
  header(name: string, value: string): unknown;
}

const UPGRADE_REQUIRED = 426;

/**
 * Creates the controller that responds to plain HTTP requests at the paths of WebSockets. Most such requests come through a
 * proxy that does not pass the upgrade on.
 */
export function createUpgradeRequiredController(paths: readonly string[]): Type {
  @ApiExcludeController()
  @Controller()
  class UpgradeRequiredController {
    @All([...paths])
    refuse(@Res({ passthrough: true }) reply: Reply): never {
      reply.header('Upgrade', 'websocket');
      reply.header('Connection', 'Upgrade');
      throw new HttpException(
        'this is the path of a WebSocket, and the request asks for no upgrade; a proxy in front of the server has to pass on Upgrade and Connection',
        UPGRADE_REQUIRED,
      );
    }
  }
  return UpgradeRequiredController;
}
