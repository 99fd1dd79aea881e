import { describe, expect, it } from '@jest/globals';
import { RouteTable } from './route-table.js';

describe('RouteTable', () => {
  const routes = new RouteTable();
  routes.add('/schedules', ['GET']);
  routes.add('/schedules', ['HEAD']);
  routes.add('/schedules/:id', ['PATCH', 'DELETE']);
  routes.add('/schedules/clear', ['POST']);
  routes.add('/docs/*', ['GET']);

  it.each([
    ['/schedules', ['GET', 'HEAD']],
    ['/schedules/42', ['DELETE', 'PATCH']],
    ['/schedules/clear', ['POST']],
    ['/schedules/', []],
    ['/schedules/42/data', []],
    ['/docs/index.html', []],
    ['/', []],
  ])('returns the methods of %s', (path, methods) => {
    expect(routes.methodsOf(path)).toEqual(methods);
  });
});
