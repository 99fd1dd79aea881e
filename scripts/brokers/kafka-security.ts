import { readFileSync } from 'node:fs';
import type { Certificate } from './certificate.ts';

/** Clients have to use TLS and to log in as one of these users. */
export interface KafkaSecurity {
  readonly certificate: Certificate;
  /** Passwords by user name, for PLAIN and for SCRAM. */
  readonly users: Readonly<Record<string, string>>;
}

/** The user with which the broker connects to itself. */
const SELF = { broker: 'of-the-broker' };
const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];
const modules = 'org.apache.kafka.common.security';

export function securityProperties({ certificate, users }: KafkaSecurity): Record<string, string> {
  const logins = Object.entries({ ...users, ...SELF }).map(
    ([name, password]) => `user_${name}="${password}"`,
  );
  const self = `username="broker" password="${SELF.broker}"`;
  const listener = 'listener.name.clients';
  const inOneLine = (file: string) => readFileSync(file, 'utf8').trim().replaceAll('\n', '\\n');
  return {
    'sasl.enabled.mechanisms': ['PLAIN', ...SCRAM].join(),
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    [`${listener}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required ${self} ${logins.join(' ')};`,
    ...Object.fromEntries(
      SCRAM.map((mechanism) => [
        `${listener}.${mechanism.toLowerCase()}.sasl.jaas.config`,
        `${modules}.scram.ScramLoginModule required;`,
      ]),
    ),
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.key': inOneLine(certificate.key),
    'ssl.keystore.certificate.chain': inOneLine(certificate.certificate),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.certificates': inOneLine(certificate.authority),
  };
}

/** SCRAM users are data of the cluster. They are written before the first start. */
export function securityFormatting({ users }: KafkaSecurity): string[] {
  return Object.entries(users).flatMap(([name, password]) =>
    SCRAM.flatMap((mechanism) => ['-S', `${mechanism}=[name=${name},password=${password}]`]),
  );
}
