import { reportFailure } from './background.js';

/** Decides whether an uncaught error is its own, and then handles it. Returns whether it did. */
export type ErrorClaim = (error: unknown) => boolean;

const claims = new Set<ErrorClaim>();

/**
 * Lets `claim` look at every uncaught exception and unhandled rejection before the process treats it as its own. Returns a
 * function that removes it. The program asks it; an application that embeds modules of Carillon has its own handlers.
 */
export function claimUncaughtErrors(claim: ErrorClaim): () => void {
  claims.add(claim);
  return () => void claims.delete(claim);
}

/** Returns whether a claim has handled the error. */
export function isClaimed(error: unknown): boolean {
  for (const claim of claims) {
    try {
      if (claim(error)) return true;
    } catch (fault) {
      reportFailure('attribution of an uncaught error', fault);
    }
  }
  return false;
}
