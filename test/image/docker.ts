/** The images by docker, with the flags that the README and run-job.yml give. */
import { configSchema, type Engine, output, type Spec, type TargetName } from "./images.ts";

const nameOf = (target: TargetName): string => `journeyman-test:${target}`;

/** Of each; the app is started as the README says, the agent as run-job.yml does. */
const FLAGS: Readonly<Record<TargetName, readonly string[]>> = {
  app: ["--init", "--read-only", "--tmpfs", "/tmp", "--memory", "1g", "--pids-limit", "256"],
  agent: ["--memory", "4g", "--pids-limit", "512"],
};

function command(target: TargetName, { env = {}, mounts = {}, entrypoint, args = [] }: Spec): string[] {
  return [
    ...["docker", "run", "--rm", "--network", "host", "--cap-drop", "ALL"],
    ...["--security-opt", "no-new-privileges", ...FLAGS[target]],
    ...Object.keys(env).flatMap((name) => ["-e", name]),
    ...Object.entries(mounts).flatMap(([inside, folder]) => ["-v", `${folder}:${inside}`]),
    ...(entrypoint === undefined ? [] : ["--entrypoint", entrypoint]),
    ...[nameOf(target), ...args],
  ];
}

export const docker = (): Engine => ({
  name: "docker",
  leaves: "nothing of what it claims",
  build: (target) => void output("docker", "build", "--quiet", "--target", target, "--tag", nameOf(target), "."),
  config: (target) =>
    configSchema.parse(
      JSON.parse(output("docker", "image", "inspect", "--format", "{{json .Config}}", nameOf(target))),
    ),
  size: (target) => Number(output("docker", "image", "inspect", "--format", "{{.Size}}", nameOf(target))),
  command,
  // It passes the signal on.
  tell: (pid) => void process.kill(pid, "SIGTERM"),
  fenced: nameOf("agent"),
  own: (folder, uid) =>
    void output(
      ...(["docker", "run", "--rm", "--user", "0", "--network", "none", "--volume", `${folder}:/own`] as const),
      ...["--entrypoint", "chown", nameOf("agent"), "-R", `${uid}:${uid}`, "/own"],
    ),
  // The app's root is read-only, and the agent's belongs to another user.
  stray: () => [],
  close: () => {},
});
