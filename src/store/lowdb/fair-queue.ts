/**
 * Limits concurrency and shares it fairly between tenants, the App's installations. A tenant may use as many slots as
 * stay free for others, so that another tenant starts at once; waiting tenants take turns, each in its own order. A
 * plain first-come-first-served limit would let one tenant's sixty orders delay everybody else.
 */
export interface FairQueue {
  /** Runs the work when this tenant has its turn. */
  take<T>(tenant: number, work: () => Promise<T>): Promise<T>;
}

interface Tenant {
  held: number;
  /** First in, first out. A set, since shifting a long array costs its whole length. */
  readonly waiting: Set<() => void>;
}

export function createFairQueue(slots: number): FairQueue {
  /** Tenants that wait or hold a slot, ordered by their last turn. */
  const tenants = new Map<number, Tenant>();
  let free = slots;

  /** False when no waiting tenant may start. */
  const giveOne = (): boolean => {
    for (const [id, tenant] of tenants) {
      const [start] = tenant.waiting;
      if (start === undefined || tenant.held >= free) continue;
      tenant.waiting.delete(start);
      tenant.held += 1;
      free -= 1;
      tenants.delete(id);
      tenants.set(id, tenant);
      start();
      return true;
    }
    return false;
  };

  const give = (): void => {
    while (giveOne());
  };

  return {
    async take(id, work) {
      const tenant = tenants.get(id) ?? { held: 0, waiting: new Set() };
      tenants.set(id, tenant);
      await new Promise<void>((start) => {
        tenant.waiting.add(start);
        give();
      });
      try {
        return await work();
      } finally {
        tenant.held -= 1;
        free += 1;
        if (tenant.held === 0 && tenant.waiting.size === 0) tenants.delete(id);
        give();
      }
    },
  };
}
