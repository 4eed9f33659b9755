//! What deliveries tell logs and metrics. Of an address only the host is shown: the rest may be a key.

use std::time::Duration;

use crate::runtime::telemetry::metric::{Metric, count, record, set};
use crate::store;

/// This process delivers, or it does not any more.
#[derive(Debug)]
pub(super) struct OnDuty(pub(super) bool);

impl OnDuty {
    pub(super) fn emit(self) {
        set(Metric::WebhookLeader, f64::from(u8::from(self.0)), &[]);
        tracing::debug!(on_duty = self.0, "delivering to webhooks");
    }
}

/// A message was answered, or was not.
#[derive(Debug)]
pub(super) struct Sent<'a> {
    pub(super) subscription_id: &'a str,
    pub(super) host: &'a str,
    pub(super) error: Option<&'a str>,
    pub(super) took: Duration,
}

impl Sent<'_> {
    pub(super) fn emit(self) {
        let outcome = if self.error.is_none() {
            "delivered"
        } else {
            "failed"
        };
        count(Metric::WebhookDeliveries, 1, &[("outcome", outcome)]);
        record(Metric::WebhookDeliverySeconds, self.took.as_secs_f64(), &[]);
        tracing::debug!(
            subscription_id = self.subscription_id,
            host = self.host,
            took_ms = self.took.as_millis(),
            error = self.error,
            "webhook {outcome}"
        );
    }
}

/// A subscription was paused because its receiver fails.
#[derive(Debug)]
pub(super) struct Paused<'a> {
    pub(super) subscription_id: &'a str,
    pub(super) reason: &'a str,
}

impl Paused<'_> {
    pub(super) fn emit(self) {
        count(Metric::WebhooksPaused, 1, &[]);
        tracing::info!(
            subscription_id = self.subscription_id,
            reason = self.reason,
            "a webhook was paused"
        );
    }
}

/// A worker could not use the database; it starts again.
#[derive(Debug)]
pub(super) struct WorkerFailed<'a> {
    pub(super) subscription_id: &'a str,
    pub(super) error: &'a store::Error,
}

impl WorkerFailed<'_> {
    pub(super) fn emit(self) {
        tracing::warn!(
            subscription_id = self.subscription_id,
            error = %self.error,
            "a webhook's deliveries were interrupted"
        );
    }
}
