//! A reader as a stream, for programs that embed the service.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;

use super::reader::MAX_WAIT;
use super::{Error, FeedEvent, Reader, Result};

/// Events fetched ahead of whoever polls the stream.
const PREFETCH: usize = 64;

/// Pause after an error before the database is asked again, so that a loop that ignores errors does no harm.
const ERROR_PAUSE: Duration = Duration::from_secs(1);

struct State {
    reader: Reader,
    fetched: VecDeque<Arc<FeedEvent>>,
    phase: Phase,
}

enum Phase {
    Going,
    /// The database failed at the last try.
    Failed,
    /// The cursor can't be served.
    Ended,
}

impl Reader {
    /// Every matching event after the cursor, in order, without end.
    ///
    /// Ends when the service stops, and after [`Error::Expired`] and [`Error::Ahead`]. After
    /// [`Error::Store`] it goes on where it was: polled again, it asks again a second later.
    pub fn into_stream(self) -> impl Stream<Item = Result<Arc<FeedEvent>>> + Send + 'static {
        let state = State {
            reader: self,
            fetched: VecDeque::new(),
            phase: Phase::Going,
        };
        Box::pin(futures::stream::unfold(state, advance))
    }
}

async fn advance(mut state: State) -> Option<(Result<Arc<FeedEvent>>, State)> {
    loop {
        if let Some(event) = state.fetched.pop_front() {
            return Some((Ok(event), state));
        }
        match state.phase {
            Phase::Going => {}
            Phase::Failed => tokio::time::sleep(ERROR_PAUSE).await,
            Phase::Ended => return None,
        }
        state.phase = Phase::Going;
        let error = match state.reader.next(PREFETCH, MAX_WAIT).await {
            Ok(batch) => {
                state.fetched = batch.events.into();
                continue;
            }
            Err(error) => error,
        };
        state.phase = match error {
            Error::Closed => return None,
            Error::Store(_) => Phase::Failed,
            Error::Expired { .. } | Error::Ahead { .. } => Phase::Ended,
        };
        return Some((Err(error), state));
    }
}
