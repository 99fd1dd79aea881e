type Deed = () => void;

/**
 * Puts deeds off to the end of the event-loop turn, and does them in one go. For answers to requests this is worth as much
 * as all the rest of a small request: a caller that the first answer wakes finds the others of its connections there as
 * well, where it would else be woken for each.
 */
export class EndOfTurn {
  #deeds: Deed[] = [];

  readonly add = (deed: Deed): void => {
    if (this.#deeds.push(deed) === 1) setImmediate(this.#come);
  };

  readonly #come = (): void => {
    const deeds = this.#deeds;
    this.#deeds = [];
    for (const deed of deeds) deed();
  };
}
