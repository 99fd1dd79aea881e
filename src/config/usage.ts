/** What `--help` prints. */
export const usage = `Carillon: a self-hosted real-time push server

usage: npm start -- [--config FILE] [--port PORT] [--host HOST] [--SETTING VALUE]...

  --config FILE     a JSON file with settings; CARILLON_CONFIG does the same
  --port PORT       where to listen (3000)
  --host HOST       the address to listen on (127.0.0.1)
  --SETTING VALUE   any setting by its dotted name, such as --bus.instant.topic pushes
  --version         print the version
  --help            print this

Every setting can also be given as a variable, in the environment or in a .env file: CARILLON_BUS_INSTANT_TOPIC=pushes.
All settings: docs/configuration.md
`;
