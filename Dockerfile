# Two images from one source: `docker build --target app .` is the server, `--target agent .` runs jobs.
# The base is pinned by digest (a list for all platforms), so that a build today and one tomorrow stand on the same files;
# its tag is there for people. To move it, change both and run `npm run image`. The digest is as two public Dockerfiles
# give it: it was never held against the registry from here, so release.yml does that before it publishes anything.
ARG NODE_IMAGE=node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/journeyman
COPY package.json package-lock.json ./
# No package needs a script of its own to be installed, so none is run.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json esbuild.config.ts app.yml ./
COPY src ./src
COPY agent ./agent
RUN node esbuild.config.ts server agent

FROM ${NODE_IMAGE} AS app
LABEL org.opencontainers.image.title="Journeyman" \
  org.opencontainers.image.description="The server: a GitHub App that turns comments into merged pull requests" \
  org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /opt/journeyman
RUN mkdir /data && chown node:node /data
# The bundles need no package beside them.
COPY --from=build /opt/journeyman/dist/server ./dist/server
COPY package.json LICENSE ./
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --retries=3 --start-period=30s --start-interval=1s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/ping`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/server/main.js"]

FROM ${NODE_IMAGE} AS tools
# What a model reaches for in a shell, and the libraries that toolchains of GitHub's runners ask for. A repository that
# needs more builds its own image on this one.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends bash ca-certificates curl git jq python3 ripgrep tini \
  libffi8 libgmp10 libreadline8t64 libsqlite3-0 libssl3t64 libyaml-0-2 \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log \
  /usr/local/include /usr/local/share/doc /usr/local/share/man \
  && groupadd --gid 10001 agent \
  && useradd --uid 10001 --gid 10001 --create-home --shell /bin/bash agent \
  && mkdir /opt/journeyman \
  && mv /usr/bin/tini /opt/journeyman/init \
  && for program in gateway courier egress; do \
    printf '#!/bin/sh\nexec node --disable-sigusr1 /opt/journeyman/dist/agent/%s.js "$@"\n' "$program" > "/usr/local/bin/$program" \
    && chmod 0755 "/usr/local/bin/$program"; \
  done \
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
  # A program that its user may run but not read leaves no readable /proc/{pid}/environ behind. An older run-job.yml gives
  # the provider's key to the agent, whose shell is the same user and must not take it from there.
  && chmod 0711 /usr/local/bin/node /opt/journeyman/init

# In one layer, since a file of the base whose mode has changed would be there twice, and node is large.
FROM scratch AS agent
LABEL org.opencontainers.image.title="Journeyman agent" \
  org.opencontainers.image.description="Works on one job in a checkout, and the gateway beside it" \
  org.opencontainers.image.licenses="MIT"
COPY --from=tools / /
COPY --from=build /opt/journeyman/dist/agent /opt/journeyman/dist/agent
COPY package.json LICENSE /opt/journeyman/
# Outside of a container, gateway and proxy would listen for this machine alone.
ENV GATEWAY_LISTEN=0.0.0.0 EGRESS_LISTEN=0.0.0.0 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER agent
WORKDIR /workspace
ENTRYPOINT ["/opt/journeyman/init", "-s", "--", "/usr/local/bin/node", "--disable-sigusr1", "/opt/journeyman/dist/agent/main.js"]
