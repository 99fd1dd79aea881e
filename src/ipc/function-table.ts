export type Callable = (...args: never[]) => unknown;

/** Represents a function in a packet. */
interface Reference {
  readonly [REFERENCE]: number;
}

const REFERENCE = '\0function';

/** Keeps the functions that the other end may call, and creates functions from the references of the other end. */
export class FunctionTable {
  readonly #functions = new Map<number, Callable>();
  #count = 0;

  constructor(private readonly invoke: (reference: number, args: readonly unknown[]) => Promise<unknown>) {}

  find(reference: number): Callable | undefined {
    return this.#functions.get(reference);
  }

  /** Replaces functions by references: the value itself, and the properties of a plain object. */
  pack(value: unknown): unknown {
    if (typeof value === 'function') return this.#refer(value as Callable);
    if (!isPlain(value) || !Object.values(value).some((each) => typeof each === 'function')) return value;
    return mapped(value, (each) => (typeof each === 'function' ? this.#refer(each as Callable) : each));
  }

  /** Replaces references by functions that call the other end. */
  unpack(value: unknown): unknown {
    if (isReference(value)) return this.#callable(value);
    if (!isPlain(value) || !Object.values(value).some(isReference)) return value;
    return mapped(value, (each) => (isReference(each) ? this.#callable(each) : each));
  }

  #refer(called: Callable): Reference {
    this.#functions.set(++this.#count, called);
    return { [REFERENCE]: this.#count };
  }

  #callable(reference: Reference): (...args: readonly unknown[]) => Promise<unknown> {
    return (...args) => this.invoke(reference[REFERENCE], args);
  }
}

function isReference(value: unknown): value is Reference {
  return typeof value === 'object' && value !== null && REFERENCE in value;
}

/** Also true for an object of another realm. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function mapped(object: Readonly<Record<string, unknown>>, change: (value: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}
