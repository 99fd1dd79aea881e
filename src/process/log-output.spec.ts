import { expect, it } from '@jest/globals';
import { LogOutput } from './log-output.js';

it('drops lines that nobody reads, and reports their number afterwards', () => {
  const lines: string[] = [];
  const stream = {
    writableLength: 0,
    write: (line: string | Uint8Array): boolean => {
      lines.push(String(line));
      return true;
    },
  };
  const output = new LogOutput(stream);
  output.write('first\n');
  stream.writableLength = 5_000_000;
  for (let count = 0; count < 3; count++) output.write('dropped\n');
  stream.writableLength = 0;
  output.write('last\n');
  expect(lines).toEqual(['first\n', expect.stringContaining('3 line(s) of the log were dropped'), 'last\n']);
});
