/**
 * Places for work that is done side by side, shared fairly between tenants: the installations of the App. A tenant may
 * have as many places as stay free beside its own, so that whoever comes while another is busy finds one at once; those
 * who wait are served in turn, each tenant's own in the order in which they came. A plain limit would be first come first
 * served, and one tenant's sixty orders would stand before the next one's first.
 */
export interface FairQueue {
  /** Does the work when this tenant has its turn. */
  take<T>(tenant: number, work: () => Promise<T>): Promise<T>;
}

interface Tenant {
  held: number;
  /** First come first served; a set, since taking the first of a long array costs its whole length. */
  readonly waiting: Set<() => void>;
}

export function createFairQueue(places: number): FairQueue {
  /** Those that wait or hold a place, whoever had a turn last at the end. */
  const tenants = new Map<number, Tenant>();
  let free = places;

  /** False: nobody who waits may have one. */
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
