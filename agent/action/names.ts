/** What a job's containers and networks are called. The next try of a job clears away what has these names. */
export interface Names {
  readonly agent: string;
  readonly gateway: string;
  /** With a way out: of both, or of the gateway alone. */
  readonly network: string;
  /** Without one: on which a fenced agent and the gateway meet. */
  readonly fence: string;
}

export const namesOf = (jobId: string): Names => ({
  agent: `journeyman-${jobId}`,
  gateway: `journeyman-${jobId}-gateway`,
  network: `journeyman-${jobId}`,
  fence: `journeyman-${jobId}-fence`,
});
