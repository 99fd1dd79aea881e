const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * Reads an RFC 3339 timestamp with its zone (`2030-01-31T09:00:00+02:00`) as Unix time in ms. Fractions of a ms are
 * rounded up, so that nothing is early; a leap second counts as the second after it.
 * @returns undefined when it is none, the 30th of February included
 */
export function parseTimestamp(text: string): number | undefined {
  const [, date, hour, minute, second, fraction = '0', sign = '+', zoneHour = '0', zoneMinute = '0'] =
    RFC_3339.exec(text) ?? [];
  if (date === undefined) return undefined;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date.parse rolls the 30th of February over into March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const seconds = (Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second);
  return midnight + seconds * 1000 + Math.ceil(Number((Number(fraction) * 1000).toPrecision(12)));
}
