/**
 * Bounds the memory of all unfinished request bodies together. When it is full, the oldest unfinished body is dropped,
 * so that slow senders cannot hold up fast ones.
 */

export interface HeldBody {
  /** So many bytes more are held. */
  add(bytes: number): void;
  /** It is here and being worked on: it counts, but it gives way no more. */
  whole(): void;
  release(): void;
}

/** `giveWay`: lets go of what was read so far. */
export type HoldBody = (giveWay: () => void) => HeldBody;

export function boundBodies(most: number): HoldBody {
  let total = 0;
  const unfinished = new Set<() => void>();
  const makeRoom = (): void => {
    for (const drop of unfinished) {
      if (total <= most) return;
      drop();
    }
  };
  return (giveWay) => {
    let bytes = 0;
    const release = (): void => {
      unfinished.delete(drop);
      total -= bytes;
      bytes = 0;
    };
    const drop = (): void => {
      release();
      giveWay();
    };
    unfinished.add(drop);
    return {
      add(more) {
        bytes += more;
        total += more;
        if (total > most) makeRoom();
      },
      whole: () => void unfinished.delete(drop),
      release,
    };
  };
}
