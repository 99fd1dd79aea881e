/** Addresses that stand for all interfaces, with the address that reaches them from this machine. */
const EVERYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Returns the URL that reaches a server of this machine that listens on an address. */
export function localUrl(host: string, port: number): string {
  return `http://${authority(EVERYWHERE[host] ?? host, port)}`;
}

/** Describes where a server listens: the address as it is, and a URL to open if the address is not one. */
export function listeningOn(host: string, port: number): string {
  const url = localUrl(host, port);
  return host in EVERYWHERE ? `${authority(host, port)} (all interfaces), open ${url}` : url;
}

function authority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
