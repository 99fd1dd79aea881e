/** `npm run example -- live-tasks` runs `examples/live-tasks/main.ts` with the built program. */
import { globSync } from 'node:fs';

const [wanted] = process.argv.slice(2);
const names = globSync('*/main.ts', { cwd: import.meta.dirname }).map((path) => path.split(/[\\/]/)[0]);
if (names.includes(wanted)) {
  await import(`./${wanted}/main.ts`);
} else {
  console.error(`usage: npm run example -- NAME\nNAME is one of: ${names.join(', ')}`);
  process.exitCode = 1;
}
