FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json .swcrc ./
COPY scripts/build.ts scripts/
COPY bin bin
COPY src src
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM node:24-slim
# PORT is not set: it would win over the port of a configuration file. Without either, the port is 3000. Name a file in
# CARILLON_CONFIG and not in a flag, so that the health check reads it too.
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /app
# The only directory that the process may write to. Mount a volume here to keep the embedded stores.
RUN install --directory --owner=1000 --group=1000 data
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY bin bin
# The image's user `node`, as a number, so that Kubernetes can verify that it is not root.
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "dist/main.js", "health"]
# Started without npm, so that the process receives its signals. SIGTERM drains for up to 30 s: allow 35 s.
# docs/operations.md explains the flag.
CMD ["node", "--max-semi-space-size=16", "dist/main.js"]
