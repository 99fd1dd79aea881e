// The architecture in one table: which module may import which. It is also the order in which they shut down.
const allowed = {
  gateway: ['delivery', 'json', 'limits', 'patterns', 'metrics'],
  trigger: ['delivery', 'bus', 'json', 'limits', 'metrics'],
  delivery: ['bus', 'redis', 'ipc', 'patterns', 'metrics'],
  bus: ['redis', 'ipc', 'tls', 'metrics'],
  redis: ['tls', 'metrics'],
  ipc: [],
  tls: [],
  json: [],
  limits: [],
  patterns: [],
  metrics: [],
};
const modules = Object.keys(allowed);
const any = modules.join('|');
const spec = '\\.spec\\.ts$';
const clientLibraries = 'ioredis|kafkajs|pulsar-client';

const direction = modules.map((name) => ({
  name: `direction-${name}`,
  comment: `${name} may import only: ${allowed[name].join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: `^src/${name}/`, pathNot: spec },
  to: { path: `^src/(${any})/`, pathNot: `^src/(${[name, ...allowed[name]].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...direction,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'front-door-only',
      comment: 'Another module is entered through its index.ts and nothing else.',
      severity: 'error',
      from: { path: `^src/(${any})/`, pathNot: spec },
      to: { path: `^src/(${any})/`, pathNot: ['^src/$1/', `^src/(${any})/index\\.ts$`] },
    },
    {
      name: 'front-door-only-root',
      severity: 'error',
      from: { path: '^src/(?:(?:cli|config|workers)/.*|[^/]+\\.ts)$', pathNot: spec },
      to: { path: `^src/(${any})/`, pathNot: `^src/(${any})/index\\.ts$` },
    },
    {
      name: 'modules-do-not-know-the-root',
      comment:
        'app.module.ts, main.ts, cli/, config/ and workers/ are the composition root; errors.ts is shared.',
      severity: 'error',
      from: { path: `^src/(${any})/`, pathNot: spec },
      to: { path: '^src/(?:(?:cli|config|workers)/.*|[^/]+\\.ts)$', pathNot: '^src/errors\\.ts$' },
    },
    {
      name: 'adapters-behind-the-module',
      comment: 'Only *.module.ts may name an adapter. What an adapter is configured with is no secret.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['/adapters/', '\\.module\\.ts$', spec] },
      to: { path: '^src/[^/]+/adapters/', pathNot: '\\.options\\.ts$' },
    },
    {
      name: 'adapters-are-strangers',
      comment: 'One adapter never imports another: files of one adapter begin with the same technology.',
      severity: 'error',
      from: { path: '^src/([^/]+)/adapters/([^/.]+)', pathNot: spec },
      to: { path: '^src/[^/]+/adapters/', pathNot: '^src/$1/adapters/$2[./]' },
    },
    {
      name: 'client-libraries-stay-in-adapters',
      severity: 'error',
      comment: 'src/redis opens connections for the Redis adapters of several modules.',
      from: { path: '^src/', pathNot: ['/adapters/', '^src/redis/', spec] },
      to: { path: `node_modules/(${clientLibraries})/` },
    },
    {
      name: 'production-knows-no-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: spec },
      to: { path: ['^test/', '^bench/', spec] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true, // type-only imports count too
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
