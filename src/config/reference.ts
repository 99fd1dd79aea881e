import type { z } from 'zod';
import type { RenamedSettings } from './renamed-settings.js';
import { settingsOf, type Setting } from './settings.js';
import type { WellKnownVariables } from './well-known.js';

/** Returns the reference of all settings as Markdown. `npm run docs:config` writes it to `docs/configuration.md`. */
export function renderReference(
  schema: z.ZodType,
  wellKnown: WellKnownVariables,
  renamed: RenamedSettings = {},
): string {
  const settings = settingsOf(schema);
  const sections = Map.groupBy(settings, ({ path }) => path.slice(0, Math.min(path.length - 1, 3)).join('.'));
  return [
    '# Configuration reference',
    '',
    '<!-- Generated from the schema by `npm run docs:config`. Do not edit. -->',
    '',
    'You can set each value in the JSON file that `--config` (or `CARILLON_CONFIG`) names, in a `.env` file, in the environment,',
    'or with a flag. If a setting has several values, the last of these wins. In variables and flags, lists are comma-separated',
    'and objects are JSON. At its start the process reports all faults together, and unknown names with a suggestion.',
    '',
    'Configuration files and variables of Centrifugo work as well: see',
    '[migrating from Centrifugo](migrating-from-centrifugo.md).',
    '',
    '## Variables with common names',
    '',
    '| variable | sets | implies, unless set otherwise |',
    '|---|---|---|',
    ...Object.entries(wellKnown).map(
      ([name, { sets, implies = {} }]) =>
        `| \`${name}\` | ${sets.map((key) => `\`${key}\``).join('<br>')} | ` +
        `${Object.entries(implies)
          .map(([key, value]) => `\`${key}=${value}\``)
          .join('<br>')} |`,
    ),
    '',
    ...renamedSection(renamed),
    ...[...sections].flatMap(([section, members]) => [
      `## ${section}`,
      '',
      '| setting | default | what it does |',
      '|---|---|---|',
      ...members.map(row),
      '',
    ]),
  ].join('\n');
}

function renamedSection(renamed: RenamedSettings): string[] {
  const rows = Object.entries(renamed).map(([former, present]) => `| \`${former}\` | \`${present}\` |`);
  if (rows.length === 0) return [];
  return [
    '## Renamed settings',
    '',
    'The former names still work in files, variables and flags. Each use is reported when the process starts.',
    '',
    '| former name | present name |',
    '|---|---|',
    ...rows,
    '',
  ];
}

function row(setting: Setting): string {
  const choices = setting.choices
    ? ` One of ${setting.choices.map((choice) => `\`${choice}\``).join(', ')}.`
    : '';
  const secret = setting.secret ? ' Secret: never printed.' : '';
  const fallback = setting.default === undefined ? '' : `\`${JSON.stringify(setting.default)}\``;
  const text = `${setting.description}${choices}${secret}`.replaceAll('|', '\\|');
  return `| \`${setting.key}\`<br>\`${setting.variable}\` | ${fallback} | ${text} |`;
}
