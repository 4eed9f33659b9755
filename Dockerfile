# Dependencies are built in a layer of their own, which changes with Cargo.lock alone.
FROM rust:1.95-bookworm AS chef
RUN cargo install cargo-chef --version ^0.1 --locked
WORKDIR /build

FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
ENV SQLX_OFFLINE=true
COPY --from=plan /build/recipe.json recipe.json
RUN cargo chef cook --release --locked --recipe-path recipe.json --bin wanderer-kills
COPY . .
RUN cargo build --release --locked --bin wanderer-kills

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /var/lib/wanderer-kills --create-home wanderer-kills
COPY --from=build /build/target/release/wanderer-kills /usr/local/bin/wanderer-kills
USER wanderer-kills
ENV WK_LISTEN=0.0.0.0:4004 WK_LOG_FORMAT=json WK_DATA_DIR=/var/lib/wanderer-kills
EXPOSE 4004
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--show-error", "--output", "/dev/null", "http://127.0.0.1:4004/ping"]
ENTRYPOINT ["wanderer-kills"]
CMD ["serve"]
