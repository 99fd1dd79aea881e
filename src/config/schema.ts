import { z } from 'zod';
import { busOptions } from '../bus/index.js';
import { callbacksOptions } from '../callbacks/index.js';
import { deliveryOptions } from '../delivery/index.js';
import { gatewayOptionsFor, missingProxies } from '../gateway/index.js';
import { metricsOptions } from '../metrics/index.js';
import { triggerOptions } from '../trigger/index.js';
import { webhooksOptions } from '../webhooks/index.js';
import { protocols } from '../protocols.js';
import { isLoopback } from '../http/index.js';
import { roleFaults } from './role-rules.js';
import { shortKeyIssues } from './short-keys.js';
import { logOptions, serverOptions } from './server.options.js';
import { checkTimers } from '../async/index.js';

/** The schema of the whole configuration: the options of each module under its name. */
export const configSchema = z
  .strictObject({
    server: serverOptions,
    log: logOptions,
    gateway: gatewayOptionsFor(protocols).prefault({}),
    trigger: triggerOptions,
    callbacks: callbacksOptions,
    delivery: deliveryOptions,
    bus: busOptions,
    webhooks: webhooksOptions,
    metrics: metricsOptions,
  })
  .prefault({})
  .superRefine((config, context) => {
    const { server, trigger, callbacks, bus, delivery } = config;
    // The bus checks its own options, also in an application that imports it alone.
    checkTimers({ ...config, bus: undefined }, context);
    if (server.roles.includes('gateway'))
      for (const { path, message } of missingProxies(config.gateway.client.proxies, delivery.channels))
        context.addIssue({ code: 'custom', path: [...path], message });
    for (const message of roleFaults(server.roles, { bus, delivery }))
      context.addIssue({ code: 'custom', path: ['server', 'roles'], message });
    if (!isLoopback(server.host)) for (const issue of shortKeyIssues(config)) context.addIssue({ ...issue });
    const insecure = [
      { path: ['trigger', 'api'], isSet: trigger.api.insecure },
      { path: ['callbacks'], isSet: callbacks.insecure },
    ];
    for (const { path, isSet } of insecure)
      if (isSet && !isLoopback(server.host))
        context.addIssue({
          code: 'custom',
          path: [...path, 'insecure'],
          message: `works only if server.host is a loopback address such as 127.0.0.1: on ${server.host}, everyone could use it`,
        });
    if (server.workers !== 1 && bus.worker.id !== undefined)
      context.addIssue({
        code: 'custom',
        path: ['bus', 'worker', 'id'],
        message:
          'all processes of server.workers would have this number: remove it, and the processes divide the partitions among themselves',
      });
  });

export type Config = z.output<typeof configSchema>;
