const TOKEN = "[!#$%&'*+.^_`|~0-9a-zA-Z-]+";
const TYPE = new RegExp(`^\\s*(${TOKEN}/${TOKEN})\\s*`);
/** An empty parameter, as after a last semicolon, is valid: RFC 9110, section 5.6.6. */
const PARAMETER = new RegExp(`;\\s*(?:(${TOKEN})=(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)"))?\\s*`, 'y');
const UTF_8 = /^utf-?8$/i;

/** The value of a `Content-Type` header. Names are in lower case. */
export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Returns undefined if the text is not a media type as RFC 9110 defines it. */
export function parseMediaType(text: string): MediaType | undefined {
  const [beginning = '', type] = TYPE.exec(text) ?? [];
  if (type === undefined) return undefined;
  const parameters = new Map<string, string>();
  for (let at = beginning.length; at < text.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (match === null) return undefined;
    const [, name, token, quoted] = match;
    if (name !== undefined) parameters.set(name.toLowerCase(), token ?? unquote(quoted));
  }
  return { type: type.toLowerCase(), parameters };
}

/** Accepts any parameters, because only `charset` has a meaning here. */
export function isJsonType(text: string): boolean {
  const { type, parameters } = parseMediaType(text) ?? {};
  return type === 'application/json' && UTF_8.test(parameters?.get('charset') ?? 'utf-8');
}

function unquote(text = ''): string {
  return text.replaceAll(/\\(.)/g, '$1');
}
