import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';

/** Paths of PEM files. */
export interface Certificate {
  /** The certificate authority. */
  readonly authority: string;
  readonly certificate: string;
  /** PKCS #8, not encrypted. */
  readonly key: string;
}

const openssl = (...args: string[]) => promisify(execFile)('openssl', args);

/** Creates a server certificate for 127.0.0.1 and localhost, valid for one day, with its own certificate authority. */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const file = (name: string) => join(directory, name);
  const [authority, certificate, key] = [file('authority.pem'), file('server.pem'), file('server.key')];
  const authorityKey = file('authority.key');
  const request = '-x509 -newkey rsa:2048 -nodes -days 1'.split(' ');
  await openssl('req', ...request, '-subj', '/CN=Carillon tests', '-keyout', authorityKey, '-out', authority);
  const signed = ['-CA', authority, '-CAkey', authorityKey];
  const extensions = 'subjectAltName=IP:127.0.0.1,DNS:localhost basicConstraints=CA:FALSE'
    .split(' ')
    .flatMap((extension) => ['-addext', extension]);
  const files = ['-keyout', key, '-out', certificate];
  await openssl('req', ...request, '-subj', '/CN=localhost', ...signed, ...extensions, ...files);
  return { authority, certificate, key };
}
