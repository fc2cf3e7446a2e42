/** Names of a job's containers and networks. The job's next attempt removes whatever has these names. */
export interface Names {
  readonly agent: string;
  readonly gateway: string;
  /** Has a way out; joined by both containers, or by the gateway alone when fenced. */
  readonly network: string;
  /** Has no way out; a fenced agent meets the gateway on it. */
  readonly fence: string;
}

export const namesOf = (jobId: string): Names => ({
  agent: `journeyman-${jobId}`,
  gateway: `journeyman-${jobId}-gateway`,
  network: `journeyman-${jobId}`,
  fence: `journeyman-${jobId}-fence`,
});
