//! Integration tests: a real PostgreSQL, real sockets, the real binary.

#![expect(
    clippy::disallowed_methods,
    reason = "tests start tasks and read the clock as any program does"
)]

#[cfg(test)]
mod access_limits;
#[cfg(test)]
mod access_tls;
#[cfg(test)]
mod access_tokens;
#[cfg(test)]
mod adapter_oracle;
#[cfg(test)]
mod analysts;
#[cfg(test)]
mod analysts_days;
#[cfg(test)]
mod api_hostile;
#[cfg(test)]
mod api_killfeed;
#[cfg(test)]
mod api_stream;
#[cfg(test)]
mod api_systems;
#[cfg(test)]
mod api_websocket;
#[cfg(test)]
mod backfill;
#[cfg(test)]
mod backfill_jobs;
#[cfg(test)]
mod backfill_year;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod document_dictionary;
#[cfg(test)]
mod documented_examples;
#[cfg(test)]
mod embedded_postgres;
#[cfg(test)]
mod enrichment;
#[cfg(test)]
mod enrichment_scale;
#[cfg(test)]
mod esi_answers;
#[cfg(test)]
mod esi_client;
#[cfg(test)]
mod esi_outage;
#[cfg(test)]
mod export;
#[cfg(test)]
mod feed_database;
#[cfg(test)]
mod feed_prune;
#[cfg(test)]
mod health;
#[cfg(test)]
mod health_parts;
#[cfg(test)]
mod historical_documents;
#[cfg(test)]
mod historical_http;
#[cfg(test)]
mod historical_plans;
#[cfg(test)]
mod historical_query;
#[cfg(test)]
mod hostile_clients;
#[cfg(test)]
mod house_rules;
#[cfg(test)]
mod http_client;
#[cfg(test)]
mod javascript_clients;
#[cfg(test)]
mod killfeed_clients;
#[cfg(test)]
mod library_api;
#[cfg(test)]
mod live_faults;
#[cfg(test)]
mod live_page;
#[cfg(test)]
mod live_terms;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod openapi_schemas;
#[cfg(test)]
mod outward_r2z2;
#[cfg(test)]
mod outward_redisq;
#[cfg(test)]
mod passed_over;
#[cfg(test)]
mod phoenix_delivery;
#[cfg(test)]
mod phoenix_killmail;
#[cfg(test)]
mod phoenix_limits;
#[cfg(test)]
mod phoenix_protocol;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod preloader;
#[cfg(test)]
mod preloader_faults;
#[cfg(test)]
mod preloader_wishes;
#[cfg(test)]
mod process_life;
#[cfg(test)]
mod python_clients;
#[cfg(test)]
mod read_replica;
#[cfg(test)]
mod real_input;
#[cfg(test)]
mod real_parse;
#[cfg(test)]
mod real_reference_data;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod reference_data;
#[cfg(test)]
mod resolver;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod retention_process;
#[cfg(test)]
mod simulator;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod sql_clients;
#[cfg(test)]
mod statistics;
#[cfg(test)]
mod statistics_http;
#[cfg(test)]
mod statistics_naive;
#[cfg(test)]
mod statistics_plans;
#[cfg(test)]
mod store_clients;
#[cfg(test)]
mod store_feed;
#[cfg(test)]
mod store_ingest;
#[cfg(test)]
mod store_killmails;
#[cfg(test)]
mod store_leader;
#[cfg(test)]
mod store_loading;
#[cfg(test)]
mod store_partitions;
#[cfg(test)]
mod store_samples;
#[cfg(test)]
mod support;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod traces;
#[cfg(test)]
mod two_processes;
#[cfg(test)]
mod upkeep;
#[cfg(test)]
mod v1_bounds;
#[cfg(test)]
mod v1_enhanced;
#[cfg(test)]
mod v1_rest;
#[cfg(test)]
mod v1_streams;
#[cfg(test)]
mod webhooks_contract;
#[cfg(test)]
mod webhooks_delivery;
#[cfg(test)]
mod webhooks_failures;
#[cfg(test)]
mod webhooks_progress;
