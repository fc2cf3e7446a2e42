# Two images from one source: `docker build --target app .` is the server, `--target agent .` runs jobs.
# Give NODE_IMAGE by digest for a build that can be repeated.
ARG NODE_IMAGE=node:20-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/journeyman
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY agent ./agent
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE} AS app
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /opt/journeyman
RUN mkdir /data && chown node:node /data
COPY --from=build /opt/journeyman/node_modules ./node_modules
COPY --from=build /opt/journeyman/dist ./dist
COPY package.json app.yml ./
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/ping`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]

FROM ${NODE_IMAGE} AS agent
# What a model reaches for in a shell; a repository that needs more builds its own image on this one.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends bash ca-certificates curl git jq python3 ripgrep \
  && rm -rf /var/lib/apt/lists/* \
  && groupadd --gid 10001 agent \
  && useradd --uid 10001 --gid 10001 --create-home --shell /bin/bash agent
COPY --from=build /opt/journeyman/node_modules /opt/journeyman/node_modules
COPY --from=build /opt/journeyman/dist /opt/journeyman/dist
COPY package.json /opt/journeyman/package.json
# A program that its user may run but not read leaves no readable /proc/{pid}/environ behind, so the model's shell,
# which is the same user, cannot take the provider's key from there.
RUN cp /usr/local/bin/node /opt/journeyman/node && chmod 0711 /opt/journeyman/node
USER agent
WORKDIR /workspace
ENTRYPOINT ["/opt/journeyman/node", "/opt/journeyman/dist/agent/main.js"]
