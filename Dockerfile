# Two stages: Node.js makes the map's assets, the service runs without it.
FROM node:20-bookworm-slim AS assets
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY web/vendor.mjs web/vendor.mjs
RUN node web/vendor.mjs

FROM python:3.11-slim-bookworm
WORKDIR /app
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY . .
COPY --from=assets /build/web/static/vendor web/static/vendor
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && useradd --system --create-home mapservice && install -d -o mapservice /data
USER mapservice
EXPOSE 8000
CMD ["mapservice", "serve"]
