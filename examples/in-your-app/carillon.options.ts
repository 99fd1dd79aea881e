import type { CarillonOptions } from 'carillon';

/** The settings of Carillon in the shop. All others have their defaults. */
export const carillonOptions: CarillonOptions = {
  gateway: { forwardedHeaders: ['Cookie'] },
  delivery: {
    channels: { namespaces: [{ name: 'orders', presence: true, historySize: 20, historyTtlMs: 3_600_000 }] },
  },
};
