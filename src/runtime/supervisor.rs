//! Tasks that belong together: they start here, stop together, and none dies unnoticed.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// For all tasks together to stop after they were asked to; shorter than the 30 s that container runtimes
/// usually wait before they kill.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// Owns every long-lived task of a service. A task that ends before it was asked to, with an error, or by
/// panic, stops all the others and makes [`Supervisor::join`] fail.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    token: CancellationToken,
    /// Ends the tasks that did not drain in time.
    abandon: CancellationToken,
    tracker: TaskTracker,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    running: BTreeMap<u64, &'static str>,
    failure: Option<anyhow::Error>,
}

/// What a supervised task ends with.
pub type TaskResult = anyhow::Result<()>;

impl Supervisor {
    /// A supervisor without tasks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancelled when everything has to stop. Tasks select on it.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Starts a task that has to run until the token is cancelled.
    pub fn spawn<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = TaskResult> + Send + 'static,
    {
        let token = self.token.clone();
        self.start(name, async move {
            task.await?;
            anyhow::ensure!(token.is_cancelled(), "it ended although nobody asked it to");
            Ok(())
        });
    }

    /// Starts a task that may end by itself (one connection's work, say); only a panic stops the service.
    pub fn spawn_transient<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.start(name, task.map(Ok));
    }

    /// Asks every task to stop.
    pub fn shut_down(&self) {
        self.token.cancel();
    }

    /// Waits until the token is cancelled, by [`Supervisor::shut_down`] or by a failed task, and then until all
    /// tasks have ended. Cancel-safe; what still runs after [`DRAIN_LIMIT`] is dropped.
    ///
    /// # Errors
    /// The first task that failed, panicked or ended unasked; or a drain that took too long.
    pub async fn join(&self) -> TaskResult {
        self.token.cancelled().await;
        self.tracker.close();
        let drained = tokio::time::timeout(DRAIN_LIMIT, self.tracker.wait()).await;
        let slow: Vec<&'static str> = self.state().running.values().copied().collect();
        self.abandon.cancel();
        if let Some(failure) = self.state().failure.take() {
            return Err(failure);
        }
        anyhow::ensure!(
            drained.is_ok(),
            "not stopped within {} s: {}",
            DRAIN_LIMIT.as_secs(),
            slow.join(", ")
        );
        Ok(())
    }

    fn start<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = TaskResult> + Send + 'static,
    {
        let supervisor = self.clone();
        let id = self.register(name);
        self.tracker.spawn(async move {
            let work = AssertUnwindSafe(task).catch_unwind();
            let ended = supervisor.abandon.run_until_cancelled(work).await;
            supervisor.ended(id, name, ended);
        });
    }

    fn register(&self, name: &'static str) -> u64 {
        let mut state = self.state();
        let id = state.next_id;
        state.next_id += 1;
        state.running.insert(id, name);
        id
    }

    fn ended(
        &self,
        id: u64,
        name: &'static str,
        ended: Option<Result<TaskResult, Box<dyn Any + Send>>>,
    ) {
        let failure = match ended {
            None | Some(Ok(Ok(()))) => None,
            Some(Ok(Err(error))) => Some(error.context(format!("task `{name}` failed"))),
            Some(Err(panic)) => Some(anyhow::anyhow!(
                "task `{name}` panicked: {}",
                message_of(panic.as_ref())
            )),
        };
        let mut state = self.state();
        state.running.remove(&id);
        if let Some(failure) = failure {
            state.failure.get_or_insert(failure);
            drop(state);
            self.token.cancel();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(result: TaskResult) -> String {
        format!("{:#}", result.unwrap_err())
    }

    fn with_a_patient_task() -> Supervisor {
        let supervisor = Supervisor::new();
        let token = supervisor.token();
        supervisor.spawn("patient", async move {
            token.cancelled().await;
            Ok(())
        });
        supervisor
    }

    #[tokio::test]
    async fn shutting_down_ends_well() {
        let supervisor = with_a_patient_task();
        supervisor.shut_down();
        supervisor.join().await.unwrap();
    }

    #[tokio::test]
    async fn an_error_stops_all_and_is_named() {
        let supervisor = with_a_patient_task();
        supervisor.spawn("reader", async { anyhow::bail!("no more bytes") });
        assert_eq!(
            text(supervisor.join().await),
            "task `reader` failed: no more bytes"
        );
    }

    #[tokio::test]
    async fn an_early_end_is_a_failure() {
        let supervisor = with_a_patient_task();
        supervisor.spawn("tail", async { Ok(()) });
        assert_eq!(
            text(supervisor.join().await),
            "task `tail` failed: it ended although nobody asked it to"
        );
    }

    #[tokio::test]
    async fn a_panic_stops_all_and_is_named() {
        let supervisor = with_a_patient_task();
        supervisor.spawn_transient("socket", async { panic!("boom") });
        assert_eq!(
            text(supervisor.join().await),
            "task `socket` panicked: boom"
        );
    }

    #[tokio::test]
    async fn a_transient_task_may_end() {
        let supervisor = with_a_patient_task();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        supervisor.spawn_transient("socket", async { sender.send(()).unwrap() });
        receiver.await.unwrap();
        assert!(!supervisor.token().is_cancelled());
        supervisor.shut_down();
        supervisor.join().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_stop_is_named_and_dropped() {
        let supervisor = with_a_patient_task();
        let (held, dropped) = tokio::sync::oneshot::channel::<()>();
        supervisor.spawn("stubborn", async move {
            let _held = held;
            std::future::pending().await
        });
        supervisor.shut_down();
        assert_eq!(
            text(supervisor.join().await),
            "not stopped within 20 s: stubborn"
        );
        assert!(dropped.await.is_err());
    }

    #[tokio::test]
    async fn joining_can_be_given_up_and_done_again() {
        let supervisor = with_a_patient_task();
        assert!(supervisor.join().now_or_never().is_none());
        supervisor.shut_down();
        supervisor.join().await.unwrap();
    }
}
