/** A value that prints, logs and serialises as `[secret]`. Only `reveal` returns it, so that every use can be found. */
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
