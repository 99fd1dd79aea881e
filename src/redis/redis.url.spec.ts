import { describe, expect, it } from '@jest/globals';
import { redisDriverOptions } from './redis.options.js';

const faultsIn = (options: object): string[] => {
  const { error } = redisDriverOptions.safeParse(options);
  return error?.issues.map(({ message }) => message) ?? [];
};

describe('the URL of Redis', () => {
  it.each([
    'redis://host',
    'redis://host/',
    'redis://host/3',
    'rediss://user:p%25ss@host:6380/15',
    'redis://:pa$$word@[::1]:6379',
  ])('may be %s', (url) => {
    expect(faultsIn({ url })).toEqual([]);
  });

  it.each([
    ['http://host', 'expected redis://'],
    ['redis://', 'expected redis://'],
    ['redis:///3', 'the host is missing'],
    ['redis://host/abc', 'the path must be the number of a database'],
    ['redis://host/0/', 'the path must be the number of a database'],
    ['redis://host/-1', 'the path must be the number of a database'],
    ['redis://host/1.5', 'the path must be the number of a database'],
    ['redis://host?db=3', 'write the database as a path'],
    ['redis://host/0?db=3', 'write the database as a path'],
    ['redis://host/#3', 'write the database as a path'],
    ['redis://:50%@host', 'write % as %25'],
    ['redis://50%zz:secret@host', 'write % as %25'],
  ])('must not be %s', (url, fault) => {
    expect(faultsIn({ url })).toEqual([expect.stringContaining(fault)]);
    expect(faultsIn({ url }).join()).not.toContain('secret');
  });

  it('must not name a database for a Cluster', () => {
    const clusterNodes = ['host:7000'];
    expect(faultsIn({ url: 'redis://cluster', clusterNodes })).toEqual([]);
    expect(faultsIn({ url: 'none', clusterNodes })).toHaveLength(1);
    expect(faultsIn({ url: 'redis://cluster/3', clusterNodes })).toEqual([
      expect.stringContaining('only database 0'),
    ]);
  });
});
