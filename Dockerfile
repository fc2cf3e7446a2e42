# Two images from one source: `docker build --target app .` is the server, `--target agent .` runs jobs.
# The base is pinned by digest (a list for all platforms), so that a build today and one tomorrow stand on the same files;
# its tag is there for people. To move it, change both and run `npm run image`.
ARG NODE_IMAGE=node:20.20.2-bookworm-slim@sha256:2cf067cfed83d5ea958367df9f966191a942351a2df77d6f0193e162b5febfc0

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/journeyman
COPY package.json package-lock.json ./
# No package needs a script of its own to be installed, so none is run.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY agent ./agent
# What only a compiler or a debugger reads is more than half of the packages.
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && find node_modules -type f \( -name "*.map" -o -name "*.d.ts" -o -name "*.d.mts" -o -name "*.d.cts" \) -delete

FROM ${NODE_IMAGE} AS app
LABEL org.opencontainers.image.title="Journeyman" \
  org.opencontainers.image.description="The server: a GitHub App that turns comments into merged pull requests" \
  org.opencontainers.image.source="https://github.com/journeyman-app/journeyman" \
  org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /opt/journeyman
RUN mkdir /data && chown node:node /data
COPY --from=build /opt/journeyman/node_modules ./node_modules
COPY --from=build /opt/journeyman/dist/src ./dist/src
COPY package.json app.yml LICENSE ./
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/ping`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]

FROM ${NODE_IMAGE} AS agent
LABEL org.opencontainers.image.title="Journeyman agent" \
  org.opencontainers.image.description="Works on one job in a checkout, and the proxy beside it" \
  org.opencontainers.image.source="https://github.com/journeyman-app/journeyman" \
  org.opencontainers.image.licenses="MIT"
# What a model reaches for in a shell; a repository that needs more builds its own image on this one.
# Init and node in /opt/journeyman: a program that its user may run but not read leaves no readable /proc/{pid}/environ
# behind, so the model's shell, which is the same user, cannot take the provider's key from there. Docker's own `--init`
# can be read, and holds the key too: the agent is started without it. The model's node, in its search path, stays readable.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends bash ca-certificates curl git jq python3 ripgrep tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
  && groupadd --gid 10001 agent \
  && useradd --uid 10001 --gid 10001 --create-home --shell /bin/bash agent \
  && mkdir /opt/journeyman \
  && cp /usr/local/bin/node /opt/journeyman/node \
  && mv /usr/bin/tini /opt/journeyman/init \
  && chmod 0711 /opt/journeyman/node /opt/journeyman/init \
  && for program in gateway courier egress; do \
    printf '#!/bin/sh\nexec /opt/journeyman/node /opt/journeyman/dist/agent/%s.js "$@"\n' "$program" > "/usr/local/bin/$program" \
    && chmod 0755 "/usr/local/bin/$program"; \
  done
# The bundle needs no package beside it.
COPY --from=build /opt/journeyman/dist/agent/chunks /opt/journeyman/dist/agent/chunks
COPY --from=build /opt/journeyman/dist/agent/main.js /opt/journeyman/dist/agent/gateway.js \
  /opt/journeyman/dist/agent/courier.js /opt/journeyman/dist/agent/egress.js /opt/journeyman/dist/agent/
COPY package.json LICENSE /opt/journeyman/
# Outside of a container, gateway and proxy would listen for this machine alone.
ENV GATEWAY_LISTEN=0.0.0.0 EGRESS_LISTEN=0.0.0.0
USER agent
WORKDIR /workspace
ENTRYPOINT ["/opt/journeyman/init", "-s", "--", "/opt/journeyman/node", "/opt/journeyman/dist/agent/main.js"]
