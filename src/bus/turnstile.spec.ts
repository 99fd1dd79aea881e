import { describe, expect, it } from '@jest/globals';
import { Turnstile } from './turnstile.js';

describe('Turnstile', () => {
  const tracked = (turnstile: Turnstile, names: string) => {
    const admitted: string[] = [];
    const all = Array.from(names, (name) =>
      turnstile.enter().then((may) => (admitted.push(may ? name : `not ${name}`), may)),
    );
    return { admitted, all: Promise.all(all) };
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  it('admits as many as there are places, the others in their order', async () => {
    const turnstile = new Turnstile(2);
    const { admitted, all } = tracked(turnstile, 'abcd');
    await turn();
    expect(admitted).toEqual(['a', 'b']);
    turnstile.leave();
    await turn();
    expect(admitted).toEqual(['a', 'b', 'c']);
    turnstile.leave();
    await all;
    expect(admitted).toEqual(['a', 'b', 'c', 'd']);
  });

  it('admits nobody until the last reason is gone', async () => {
    const turnstile = new Turnstile(2);
    turnstile.shut('paused');
    turnstile.shut('rebalance');
    const { admitted, all } = tracked(turnstile, 'a');
    turnstile.open('paused');
    await turn();
    expect(admitted).toEqual([]);
    turnstile.open('rebalance');
    await all;
    expect(admitted).toEqual(['a']);
  });

  it('tells when everybody has left, and turns away who comes after its close', async () => {
    const turnstile = new Turnstile(1);
    const { admitted, all } = tracked(turnstile, 'ab');
    await turn();
    let empty = false;
    const emptied = turnstile.emptied().then(() => (empty = true));
    turnstile.close();
    await all;
    expect(admitted.toSorted()).toEqual(['a', 'not b']);
    expect(await turnstile.enter()).toBe(false);
    expect(empty).toBe(false);
    turnstile.leave();
    await emptied;
    expect(turnstile.isEmpty).toBe(true);
  });
});
