/** The steps of a job as GitHub shows them: names, states and order. */
import type { JobStep, RunConclusion } from "../ports.ts";

export class Row {
  name: string;
  status: JobStep["status"] = "queued";
  conclusion: RunConclusion | null = null;

  constructor(name: string) {
    this.name = name;
  }

  end(conclusion: RunConclusion): void {
    this.status = "completed";
    this.conclusion = conclusion;
  }
}

export class ShownSteps {
  readonly setUp = new Row("Set up job");
  readonly complete = new Row("Complete job");
  readonly steps: readonly Row[];
  #rows: readonly Row[];

  constructor(names: readonly string[]) {
    this.steps = names.map((name) => new Row(name));
    this.#rows = [this.setUp, ...this.steps, this.complete];
  }

  /** Inserts a row that became known only now, before the given one. */
  insert(name: string, before: Row): Row {
    const row = new Row(name);
    this.#rows = this.#rows.flatMap((other) => (other === before ? [row, other] : [other]));
    return row;
  }

  /** Numbered as on GitHub. */
  all(): JobStep[] {
    return this.#rows.map(({ name, status, conclusion }, index) => ({ name, status, conclusion, number: index + 1 }));
  }
}
