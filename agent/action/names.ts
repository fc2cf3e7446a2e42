/** What a job's containers and networks are called. The next try of a job clears away what has these names. */
export interface Names {
  readonly agent: string;
  readonly gateway: string;
  /** On which agent and gateway meet. */
  readonly network: string;
  /** The gateway's own way out, where the agent has none. */
  readonly outside: string;
}

export const namesOf = (jobId: string): Names => ({
  agent: `journeyman-${jobId}`,
  gateway: `journeyman-${jobId}-gateway`,
  network: `journeyman-${jobId}`,
  outside: `journeyman-${jobId}-out`,
});
