/** The HTTP proxy of a runner's network, from the environment variables that curl and git read, too. */
import http, { type ProxyEnv } from "node:http";

/** As curl takes it: an address without a scheme is one of HTTP. */
function addressOf(value: string | undefined): string | undefined {
  const text = value?.trim() ?? "";
  const address = text.includes("://") ? text : `http://${text}`;
  return text !== "" && URL.canParse(address) && /^https?:/i.test(address) ? address : undefined;
}

/** Leaves out what is no address: without it the call is direct. */
export function runnerProxy(environment: Readonly<Record<string, string | undefined>>): ProxyEnv {
  const { HTTP_PROXY, HTTPS_PROXY, NO_PROXY, http_proxy, https_proxy, no_proxy } = environment;
  const plain = addressOf(http_proxy || HTTP_PROXY);
  const secure = addressOf(https_proxy || HTTPS_PROXY);
  const none = no_proxy || NO_PROXY;
  return {
    ...(plain === undefined ? {} : { HTTP_PROXY: plain }),
    ...(secure === undefined ? {} : { HTTPS_PROXY: secure }),
    ...(none === undefined ? {} : { NO_PROXY: none }),
  };
}

/** Sends this process's own requests through it. Node before 24.14 cannot, and calls directly. */
export function useRunnerProxy(environment: Readonly<Record<string, string | undefined>>): void {
  const proxy = runnerProxy(environment);
  const known: Partial<Pick<typeof http, "setGlobalProxyFromEnv">> = http;
  if (proxy.HTTP_PROXY !== undefined || proxy.HTTPS_PROXY !== undefined) known.setGlobalProxyFromEnv?.(proxy);
}

const LOOPBACK = /^(?:localhost|127\.[\d.]+|\[::1\])$/;

/** For a container, where another loopback is than the runner's. */
export function proxyForContainers(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const named = Object.entries(runnerProxy(environment)).flatMap(([name, value]) =>
    value === undefined || (name !== "NO_PROXY" && LOOPBACK.test(new URL(value).hostname)) ? [] : [[name, value]],
  );
  return Object.fromEntries(named);
}
