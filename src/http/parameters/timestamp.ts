const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/**
 * Parses an RFC 3339 timestamp with its zone (`2030-01-31T09:00:00+02:00`) and returns Unix time in ms. Fractions of a ms
 * are rounded up, so that nothing is early. A leap second counts as the second after it.
 * @returns undefined if the text is not a timestamp, or if there is no such date
 */
export function parseTimestamp(text: string): number | undefined {
  const [, date, hour, minute, second, fraction = '0', sign = '+', zoneHour = '0', zoneMinute = '0'] =
    RFC_3339.exec(text) ?? [];
  if (date === undefined) return undefined;
  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date.parse reads the 30th of February as a day in March.
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  const seconds = (Number(hour) * 60 + Number(minute) - offset) * 60 + Number(second);
  return midnight + seconds * 1000 + Math.ceil(Number((Number(fraction) * 1000).toPrecision(12)));
}
