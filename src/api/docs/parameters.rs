//! Parameters that many operations take.

use utoipa::IntoParams;

/// The killfeed's cursor, for what starts from now.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(in crate::api) struct After {
    /// Cursor: the `event_id` of the last event that was seen. 0 is the oldest event kept; absent: from now.
    #[param(minimum = 0, required = false)]
    after: i64,
}

/// The cursor that event sources repeat when they connect again.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "stands for parameters, in the document alone")]
pub(in crate::api) struct LastEventId {
    /// The `id` of the last event that was seen; event sources send it by themselves when they connect again.
    #[param(rename = "Last-Event-ID", minimum = 0, required = false)]
    last_event_id: i64,
}
