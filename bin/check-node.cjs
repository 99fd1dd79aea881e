'use strict';

// Ends the process with an explanation if its Node is too old. Loaded before everything else, by every version of Node: old
// syntax only.
const { engines } = require('../package.json');

const wanted = Number(/\d+/.exec(engines.node)[0]);
if (Number(process.versions.node.split('.')[0]) < wanted) {
  process.stderr.write(
    'carillon: Node ' +
      wanted +
      ' or later is needed, and ' +
      process.execPath +
      ' is ' +
      process.version +
      '. `npm ci` installs the right one for this project, and npm uses it: run `npm start`, `npx carillon` or `npx node FILE`\n',
  );
  process.exit(1);
}
