/** What `--help` prints. */
export const usage = `Carillon: a self-hosted real-time push server

usage: npm start -- [--config FILE] [--port PORT] [--host HOST] [--role ROLE] [--SETTING VALUE]...

  --config FILE     a JSON file with settings, ours or Centrifugo's; CARILLON_CONFIG does the same
  --port PORT       where to listen (3000)
  --host HOST       the address to listen on (127.0.0.1)
  --role ROLE       what this process does: all (default), gateway, trigger, consumers; several separated by commas
  --SETTING VALUE   any setting by its dotted name, such as --bus.instant.topic pushes
  --version         print the version
  --help            print this

Every setting can also be given as a variable, in the environment or in a .env file: CARILLON_BUS_INSTANT_TOPIC=pushes.
All settings: docs/configuration.md

after a build: npx carillon COMMAND

  gentoken -u USER [-c CHANNEL] [-t SECONDS]   print a token to connect with, or to subscribe to CHANNEL with, good for
                                               a week unless -t says otherwise (-1: without end)
  checktoken TOKEN                             say whether the server takes a token, and what it says
  genconfig [FILE]                             write a configuration to begin with, with fresh secrets
  checkconfig                                  say what is wrong with the configuration

Each takes the settings of the server, such as --config FILE.
`;
