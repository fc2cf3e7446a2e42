/**
 * How much of unfinished requests is held in memory, of all together. Where there is no room for more, the body that has been
 * under way for the longest gives way: whoever sends quickly gets through, whoever sends slowly holds nobody up.
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
