/** Names of a job's containers and networks. The job's next attempt removes whatever has these names. */
export interface Names {
  readonly agent: string;
  readonly gateway: string;
  /** Sets up the repository's own image, which then has the name `image`. */
  readonly setup: string;
  readonly image: string;
  /** A volume with the agent's program, for an image that lacks it. */
  readonly program: string;
  /** A volume with the repository's cache, and the container that fills it or opens its archive. */
  readonly cache: string;
  readonly fill: string;
  /** Has a way out; joined by both containers, or by the gateway alone when fenced. */
  readonly network: string;
  /** Has no way out; a fenced agent meets the gateway on it. */
  readonly fence: string;
}

export const namesOf = (jobId: string): Names => ({
  agent: `journeyman-${jobId}`,
  gateway: `journeyman-${jobId}-gateway`,
  setup: `journeyman-${jobId}-setup`,
  image: `journeyman-${jobId}:setup`,
  program: `journeyman-${jobId}-program`,
  cache: `journeyman-${jobId}-cache`,
  fill: `journeyman-${jobId}-fill`,
  network: `journeyman-${jobId}`,
  fence: `journeyman-${jobId}-fence`,
});
