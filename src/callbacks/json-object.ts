import { isJson } from '../json/index.js';

/** The JSON text of each member. An undefined one is left out. */
export type JsonMembers = Readonly<Record<string, string | undefined>>;

/** Joins texts, so that payloads pass through byte for byte. */
export function jsonObject(members: JsonMembers): string {
  const texts = Object.entries(members).flatMap(([name, text]) =>
    text === undefined ? [] : [`${JSON.stringify(name)}:${text}`],
  );
  return `{${texts.join(',')}}`;
}

/** Returns the text of a value, or undefined for undefined. */
export function jsonText(value: string | number | boolean | undefined): string | undefined {
  return JSON.stringify(value);
}

/** A payload as the member `name`, or as `b64name` if it is not JSON. */
export function payloadMember(name: string, payload: Buffer | undefined): JsonMembers {
  if (payload === undefined) return {};
  return isJson(payload)
    ? { [name]: payload.toString() }
    : { [`b64${name}`]: JSON.stringify(payload.toString('base64')) };
}
