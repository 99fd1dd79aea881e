/** `npm run example -- live-tasks` runs `examples/live-tasks/main.ts` on the built program. */
const [name = ''] = process.argv.slice(2);
await import(`./${name}/main.ts`);
