# What a contributor types most often; `just` without arguments lists it.

default:
    @just --list --justfile {{justfile()}}

# Everything that a change has to pass.
ci:
    .ci/run

# Serve against the built-in simulator, without any network.
demo:
    sh .ci/postgresql && cargo run --release -- demo

test *arguments:
    sh .ci/postgresql && SQLX_OFFLINE=true cargo test {{arguments}}

lint:
    cargo fmt
    SQLX_OFFLINE=true cargo clippy --all-targets -- -D warnings

# Renew .sqlx from a migrated database in DATABASE_URL.
prepare:
    rm -rf .sqlx
    cargo sqlx prepare -- --all-targets

bench *arguments:
    SQLX_OFFLINE=true cargo bench --bench figures -- {{arguments}}
