// The architecture in one table: which modules each module may import. It is also the order in which modules shut down.
const allowed = {
  gateway: ['delivery', 'webhooks', 'http', 'message', 'metrics'],
  trigger: ['delivery', 'bus', 'http', 'grpc', 'message', 'metrics'],
  callbacks: ['gateway', 'delivery', 'bus', 'http', 'message', 'metrics'],
  rooms: ['gateway', 'trigger', 'delivery', 'bus', 'grpc', 'message', 'metrics'],
  notifications: ['delivery', 'webhooks', 'message', 'metrics'],
  webhooks: ['bus', 'message', 'metrics'],
  delivery: ['bus', 'message', 'metrics'],
  bus: ['message', 'metrics'],
  http: ['metrics'],
  grpc: ['metrics'],
  message: [],
  metrics: [],
};
/** Small modules that every module may import, with the modules that they may import themselves. */
const shared = {
  redis: ['tls', 'metrics', 'async'],
  ipc: ['async'],
  sqlite: ['metrics', 'async'],
  tls: [],
  urls: [],
  json: [],
  schema: ['json'],
  limits: [],
  bytes: [],
  patterns: [],
  async: [],
};
const root = 'cli|config|embedded|process|workers';
const modules = { ...allowed, ...shared };
const any = Object.keys(modules).join('|');
const spec = '\\.spec\\.ts$';
const clientLibraries = 'ioredis|kafkajs|pulsar-client';

const direction = Object.keys(modules).map((name) => {
  const reachable = name in shared ? shared[name] : [...allowed[name], ...Object.keys(shared)];
  return {
    name: `direction-${name}`,
    comment: `${name} may import only: ${reachable.join(', ') || 'nothing'}`,
    severity: 'error',
    from: { path: `^src/${name}/`, pathNot: spec },
    to: { path: `^src/(${any})/`, pathNot: `^src/(${[name, ...reachable].join('|')})/` },
  };
});

module.exports = {
  forbidden: [
    ...direction,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'enter-modules-through-index',
      comment: 'A module may import only the index.ts of another module.',
      severity: 'error',
      from: { path: `^src/(${any})/`, pathNot: spec },
      to: { path: `^src/(${any})/`, pathNot: ['^src/$1/', `^src/(${any})/index\\.ts$`] },
    },
    {
      name: 'root-enters-modules-through-index',
      comment:
        'A client protocol has an index.ts of its own, because the composition root lists the protocols.',
      severity: 'error',
      from: { path: `^src/(?:(?:${root})/.*|[^/]+\\.ts)$`, pathNot: spec },
      to: {
        path: `^src/(${any})/`,
        pathNot: [`^src/(${any})/index\\.ts$`, '^src/gateway/protocols/[^/]+/index\\.ts$'],
      },
    },
    {
      name: 'modules-do-not-import-the-root',
      comment: `app.module.ts, main.ts, worker.ts and ${root.replaceAll('|', ', ')} are the composition root. errors.ts is shared.`,
      severity: 'error',
      from: { path: `^src/(${any})/`, pathNot: spec },
      to: { path: `^src/(?:(?:${root})/.*|[^/]+\\.ts)$`, pathNot: '^src/errors\\.ts$' },
    },
    {
      name: 'only-modules-import-adapters',
      comment:
        'Only *.module.ts may import an adapter. The options of a module may import the options of its adapters.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['/adapters/', '\\.module\\.ts$', spec] },
      to: { path: '^src/[^/]+/adapters/', pathNot: '\\.options\\.ts$' },
    },
    {
      name: 'adapters-do-not-import-each-other',
      comment: 'An adapter may import only files of its own technology folder.',
      severity: 'error',
      from: { path: '^src/([^/]+)/adapters/([^/]+)/', pathNot: spec },
      to: { path: '^src/[^/]+/adapters/', pathNot: '^src/$1/adapters/$2/' },
    },
    {
      name: 'gateway-does-not-import-protocols',
      comment: 'The gateway receives its protocols from the composition root.',
      severity: 'error',
      from: { path: '^src/gateway/', pathNot: ['^src/gateway/protocols/[^/]+/', spec] },
      to: { path: '^src/gateway/protocols/[^/]+/' },
    },
    {
      name: 'protocols-do-not-import-each-other',
      comment: 'A protocol is a plug-in in one folder. No protocol may import another one.',
      severity: 'error',
      from: { path: '^src/gateway/protocols/([^/]+)/', pathNot: spec },
      to: { path: '^src/gateway/protocols/[^/]+/', pathNot: '^src/gateway/protocols/$1/' },
    },
    {
      name: 'client-libraries-only-in-adapters',
      severity: 'error',
      comment: 'Exception: src/redis opens connections for the Redis adapters of several modules.',
      from: { path: '^src/', pathNot: ['/adapters/', '^src/redis/', spec] },
      to: { path: `node_modules/(${clientLibraries})/` },
    },
    {
      name: 'sources-do-not-import-tests',
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
