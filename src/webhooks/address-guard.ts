import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { WebhookAddressRefusedError } from './webhooks.errors.js';

/**
 * How far the origin of a target's address is trusted.
 * - `configured`: the operator wrote it. It may be in a private network, where backends usually are.
 * - `public`: somebody else chose it. It must be a public address.
 */
export type TargetTrust = 'configured' | 'public';

export interface AddressRules {
  /** Ranges that may be called although the defaults refuse them. */
  readonly allow: readonly string[];
  /** Ranges that may not be called. They win over everything else. */
  readonly deny: readonly string[];
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

/** The kinds of addresses that may be called by default, by names of ipaddr.js. Link-local addresses are in neither list. */
const allowedKinds: Readonly<Record<TargetTrust, ReadonlySet<string>>> = {
  public: new Set(['unicast']),
  configured: new Set(['unicast', 'private', 'loopback', 'uniqueLocal', 'carrierGradeNat']),
};

/** Services with the credentials of the machine, of cloud providers that do not use a link-local address for them. */
const METADATA_SERVICES = ['100.100.100.200', '168.63.129.16', 'fd00:ec2::254', 'fd20:ce::254'].map(rangeOf);

/** Kinds of IPv6 addresses that lead to an IPv4 address, with the part at which that begins. */
const TUNNELS: Readonly<Record<string, number>> = { rfc6052: 6, '6to4': 1 };

/**
 * Decides which addresses may be called. It is asked about each address that is going to be connected to, and not about the name,
 * so that a name that resolves to something else the next time (DNS rebinding) does not help.
 */
export class AddressGuard {
  readonly #allow: readonly Range[];
  readonly #deny: readonly Range[];

  constructor(
    { allow, deny }: AddressRules,
    private readonly resolve: typeof systemLookup = systemLookup,
  ) {
    this.#allow = allow.map(rangeOf);
    this.#deny = deny.map(rangeOf);
  }

  permits(address: string, trust: TargetTrust): boolean {
    return ipaddr.isValid(address) && this.#permits(ipaddr.process(address), trust);
  }

  /**
   * Whether the host of a URL may be called. A name may be: its addresses are checked by {@link lookup}. An address that the
   * operator wrote into the configuration is refused only by a rule.
   */
  permitsHost(host: string, trust: TargetTrust): boolean {
    const bare = host.replace(/^\[|\]$/g, '');
    if (!ipaddr.isValid(bare)) return true;
    return trust === 'configured' ? !matches(ipaddr.process(bare), this.#deny) : this.permits(bare, trust);
  }

  /** Returns a function for `net.connect` that resolves a name to those of its addresses that may be called. */
  lookup(trust: TargetTrust): LookupFunction {
    return (name, options, callback) => {
      this.resolve(name, { ...options, all: true }, (error, addresses) => {
        if (error !== null) return callback(error, []);
        const permitted = addresses.filter(({ address }) => this.permits(address, trust));
        const [first] = permitted;
        if (first === undefined) return callback(refusal(name, addresses), []);
        if (options.all === true) return callback(null, permitted);
        callback(null, first.address, first.family);
      });
    };
  }

  #permits(address: Address, trust: TargetTrust): boolean {
    if (matches(address, this.#deny)) return false;
    if (matches(address, this.#allow)) return true;
    if (matches(address, METADATA_SERVICES)) return false;
    const kind = address.range();
    if (address instanceof ipaddr.IPv6 && kind in TUNNELS)
      return this.#permits(tunnelled(address, TUNNELS[kind]!), trust);
    return allowedKinds[trust].has(kind);
  }
}

/** Whether a text is an address or a CIDR range. */
export function isAddressRange(text: string): boolean {
  return ipaddr.isValid(text) || ipaddr.isValidCIDR(text);
}

function rangeOf(text: string): Range {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

function matches(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits));
}

/** Returns the IPv4 address in two of the eight parts of an IPv6 address. */
function tunnelled({ parts }: ipaddr.IPv6, from: number): ipaddr.IPv4 {
  const [high, low] = [parts[from]!, parts[from + 1]!];
  return new ipaddr.IPv4([high >> 8, high & 0xff, low >> 8, low & 0xff]);
}

function refusal(
  name: string,
  addresses: readonly { readonly address: string }[],
): WebhookAddressRefusedError {
  const found = addresses.map(({ address }) => address).join(', ');
  return new WebhookAddressRefusedError(
    `${name} resolves to ${found}, which may not be called: allow it with webhooks.addresses.allow`,
  );
}
