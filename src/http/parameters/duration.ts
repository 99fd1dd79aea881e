const NUMBER = String.raw`(\d+(?:[.,]\d+)?)`;
const WHOLE_MS = /^-?\d+$/;
const ISO_8601 = new RegExp(
  `^(-?)P(?=.)(?:${NUMBER}W|(?:${NUMBER}D)?(?:T(?=.)(?:${NUMBER}H)?(?:${NUMBER}M)?(?:${NUMBER}S)?)?)$`,
);
const UNITS_MS = [7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000] as const;

/**
 * Parses whole milliseconds (`3000`) or an ISO 8601 duration (`PT3S`, `P1DT12H`, `PT0.5S`), and returns ms. Fractions of a
 * ms are rounded up, so that nothing is early. The result may be negative, or infinite if there are too many digits.
 *
 * Years and months are not accepted, because their length varies. Only the last number may have a fraction.
 * @returns undefined if the text is neither
 */
export function parseDurationMs(text: string): number | undefined {
  if (WHOLE_MS.test(text)) return Number(text);
  const [, sign, ...numbers] = ISO_8601.exec(text) ?? [];
  if (sign === undefined || hasEarlyFraction(numbers)) return undefined;
  let ms = 0;
  for (const [index, unit] of UNITS_MS.entries())
    ms += Number((numbers[index] ?? '0').replace(',', '.')) * unit;
  // A double holds fifteen digits. Rounding to them removes the error of binary fractions (PT1.1S is 1100.0000000000002).
  const whole = Math.ceil(Number(ms.toPrecision(15)));
  return sign === '-' ? -whole : whole;
}

function hasEarlyFraction(numbers: readonly (string | undefined)[]): boolean {
  const given = numbers.filter((number) => number !== undefined);
  return given.slice(0, -1).some((number) => /[.,]/.test(number));
}
