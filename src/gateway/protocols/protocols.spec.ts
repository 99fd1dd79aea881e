import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { gatewayOptionsFor } from '../gateway.options.js';
import { ProtocolConflictError } from './protocol-conflict.js';
import { ProtocolSettings } from './protocol-settings.js';
import type { Protocol, ProtocolDefinition } from './protocol.js';
import { Protocols } from './protocols.js';

const code = { code: 4000, reason: '', reconnect: true };
const closeCodes = {
  shuttingDown: code,
  slow: code,
  noPong: code,
};

class NoProtocol implements Protocol {
  connect(): never {
    throw new Error('not in this test');
  }
}

function definition(name: string, paths: string[], settings?: ProtocolSettings): ProtocolDefinition {
  return { name, paths, closeCodes, useClass: NoProtocol, ...(settings && { settings }) };
}

function served(protocol: ProtocolDefinition, countUsers?: () => number) {
  return { definition: protocol, protocol: Object.assign(new NoProtocol(), countUsers && { countUsers }) };
}

const settings = new ProtocolSettings('app', z.strictObject({ limit: z.number().default(1) }).prefault({}));
const raw = definition('raw', ['/message', '/t/special']);
const rooms = definition('rooms', ['/t/:room', '/app/:key/:room'], settings);

describe('Protocols', () => {
  const protocols = new Protocols([served(rooms), served(raw)]);

  it.each([
    ['/message', 'raw', {}],
    ['/t/a', 'rooms', { room: 'a' }],
    ['/app/k/a', 'rooms', { key: 'k', room: 'a' }],
    ['/t/special', 'raw', {}],
  ])('finds the protocol of %s', (path, name, params) => {
    const match = protocols.match(path);
    expect([match?.definition.name, match?.params]).toEqual([name, params]);
  });

  it('finds no protocol for other paths', () => {
    for (const path of ['/', '/t', '/t/a/b', '/message/']) expect(protocols.match(path)).toBeUndefined();
  });

  it('adds up the users of all protocols', () => {
    const counted = new Protocols([served(raw), served(rooms, () => 2), served(rooms, () => 3)]);
    expect(counted.countUsers()).toBe(5);
  });
});

describe('gatewayOptionsFor', () => {
  it('joins the settings of the protocols under their keys', () => {
    const schema = gatewayOptionsFor([raw, { ...rooms, settings }]);
    const options = schema.parse({ app: { limit: 2 }, outboxMaxBytes: 5 });
    expect(settings.of(options)).toEqual({ limit: 2 });
    expect(options.outboxMaxBytes).toBe(5);
    expect(settings.of(schema.parse({}))).toEqual({ limit: 1 });
    expect(gatewayOptionsFor([raw]).safeParse({ app: {} }).success).toBe(false);
  });

  it.each([
    ['name', definition('raw', ['/b']), 'the name raw'],
    ['settings key', definition('other', ['/b'], settings), 'the settings key app'],
    ['path', definition('other', ['/t/:room']), 'the path /t/:room'],
  ])('refuses two protocols with the same %s', (_, other, message) => {
    const join = () => gatewayOptionsFor([raw, rooms, other]);
    expect(join).toThrow(ProtocolConflictError);
    expect(join).toThrow(message);
  });
});
