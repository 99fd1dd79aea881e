/** The user information of every URL in a text, up to the last `@` before the path. */
const USER_INFO = /([a-z][a-z\d+.-]*:\/\/)[^\s/?#"\\]*@/gi;

/** Returns the text without the user names and passwords in its URLs, for logs and errors. */
export function redactUrls(text: string): string {
  return text.includes('@') ? text.replaceAll(USER_INFO, '$1…@') : text;
}

export interface UrlWithUserInfo {
  /** The URL without its user information. */
  readonly url: string;
  /** The value of an `Authorization` header; undefined if the URL has no user information. */
  readonly authorization: string | undefined;
}

/** Splits an HTTP URL into the address and the Basic authentication of its user information. */
export function splitUserInfo(href: string): UrlWithUserInfo {
  const url = new URL(href);
  const { username, password } = url;
  if (username === '' && password === '') return { url: href, authorization: undefined };
  url.username = '';
  url.password = '';
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return { url: url.href, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** Decodes percent-encoding. If it is malformed, the text is returned unchanged. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
