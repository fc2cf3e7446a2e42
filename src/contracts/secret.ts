/**
 * A value that must not be seen. However it is printed, logged or serialised, it reads `[secret]`;
 * only `reveal` gives it out, so that every place that uses one can be found.
 */
import { inspect } from "node:util";

const MASK = "[secret]";

export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
