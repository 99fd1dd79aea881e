/** The text that `--help` prints. */
export const usage = `Carillon: a self-hosted real-time push server

usage: npm start -- [--config FILE] [--port PORT] [--host HOST] [--role ROLE] [--SETTING VALUE]...

  --config FILE     read settings from a JSON file, of Carillon or of Centrifugo; or set CARILLON_CONFIG
  --port PORT       listen on this port (3000)
  --host HOST       listen on this address (127.0.0.1)
  --role ROLE       run only these roles, separated by commas: gateway, trigger, consumers; all by default
  --SETTING VALUE   set any setting by its dotted name: --bus.instant.topic pushes
  --version         print the version
  --help            print this help

You can also set each setting with a variable, in the environment or in a .env file: CARILLON_BUS_INSTANT_TOPIC=pushes.
All settings: docs/configuration.md

Commands, after a build: npx carillon COMMAND

  gentoken -u USER [-c CHANNEL] [-t SECONDS]   print a token for a connection of USER, or for a subscription to CHANNEL.
                                               It expires after a week, or after SECONDS (-1: never)
  checktoken TOKEN                             print the claims of a token, and whether the server accepts it
  genconfig [FILE]                             write a first configuration with new secrets (carillon.json)
  check                                        check the configuration (also: checkconfig)
  health                                       check whether the server on this machine is ready

Every command reads the same settings as the server, such as --config FILE.
`;
