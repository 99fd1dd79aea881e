/** Answers whether the work ended in time; rejects as the work does. Work that is late goes on, and nobody hears of it. */
export function endsWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, timeoutMs, false);
    work.then(() => resolve(true), reject).finally(() => clearTimeout(timer));
  });
}
