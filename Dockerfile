# Dependencies are built in a layer of their own, which changes with Cargo.lock alone.
FROM rust:1.95-bookworm AS chef
RUN cargo install cargo-chef --version ^0.1 --locked
WORKDIR /build

FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
# Line tables are for those who debug; the image does without.
ENV SQLX_OFFLINE=true CARGO_PROFILE_RELEASE_STRIP=symbols
COPY --from=plan /build/recipe.json recipe.json
RUN cargo chef cook --release --locked --recipe-path recipe.json --bin wanderer-kills
COPY . .
RUN cargo build --release --locked --bin wanderer-kills

# Migrations, the pages and their documents are in the binary; the database is DATABASE_URL's.
FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/wanderer-kills --create-home wanderer-kills
COPY --from=build /build/target/release/wanderer-kills /usr/local/bin/wanderer-kills
USER 10001
ENV WK_LISTEN=0.0.0.0:4004 WK_LOG_FORMAT=json WK_DATA_DIR=/var/lib/wanderer-kills
EXPOSE 4004
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["wanderer-kills", "healthcheck"]
ENTRYPOINT ["wanderer-kills"]
CMD ["serve"]
