import { z } from 'zod';
import { didYouMean } from './did-you-mean.js';

/** What a process can do for a deployment. `app.module.ts` maps each role to the modules that it needs. */
export const allRoles = ['gateway', 'trigger', 'consumers'] as const;

export type Role = (typeof allRoles)[number];

/** The names that `server.roles` accepts, with the roles that each name means. To add an alias, add a line. */
const rolesByName: Readonly<Record<string, readonly Role[]>> = {
  all: allRoles,
  gateway: ['gateway'],
  trigger: ['trigger'],
  consumers: ['consumers'],
};

const names = Object.keys(rolesByName);

const roleName = z.enum(names, {
  error: ({ input }) =>
    `unknown role ${String(input)}${didYouMean(String(input), names) || '.'} Accepted are ${names.join(', ')}`,
});

/** A list of role names. Parses to the roles that they stand for, each once. */
export const rolesOption = z
  .array(roleName)
  .min(1, { error: `must name at least one role: ${names.join(', ')}` })
  .default(['all'])
  .transform((given): readonly Role[] =>
    allRoles.filter((role) => given.some((name) => rolesByName[name]?.includes(role))),
  );

/** Whether one of the roles publishes messages in the lanes or consumes them. */
export function usesLanes(roles: readonly Role[]): boolean {
  return roles.includes('trigger') || roles.includes('consumers');
}
