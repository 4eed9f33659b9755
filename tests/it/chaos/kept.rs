//! A service process that is always started again, as a service manager does it.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::binary::{ServiceCommand, ServiceProcess};
use crate::support::http::get;

/// Before a process that ended by itself is started again.
const RESTART: Duration = Duration::from_millis(500);
/// Between two looks whether a process answers.
const LOOK: Duration = Duration::from_millis(50);

/// What happened to a process.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    pub(super) starts: usize,
    pub(super) kills: usize,
    /// How often it gave up before it answered: it does not start without a database.
    pub(super) gave_up: usize,
    /// How it ended by itself although it had answered, or by a panic.
    pub(super) died: Vec<ExitStatus>,
}

enum Order {
    Kill(Duration),
    Stop(oneshot::Sender<Option<i32>>),
}

/// The process, for as long as this is there.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) address: SocketAddr,
    life: Arc<Mutex<Life>>,
    orders: mpsc::Sender<Order>,
    keeping: JoinHandle<()>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

impl Kept {
    /// Starts it, and waits until it answers.
    pub(super) async fn start(command: ServiceCommand) -> Self {
        let (orders, given) = mpsc::channel(16);
        let life = Arc::<Mutex<Life>>::default();
        let address = command.listen();
        let keeping = tokio::task::spawn(keep(command, given, Arc::clone(&life)));
        answers(address).await;
        Self {
            address,
            life,
            orders,
            keeping,
        }
    }

    /// SIGKILL; it is started again after a pause.
    pub(super) async fn kill(&self, pause: Duration) {
        self.orders.send(Order::Kill(pause)).await.unwrap();
    }

    /// SIGTERM; its exit code.
    pub(super) async fn stop(&self) -> Option<i32> {
        let (answer, code) = oneshot::channel();
        self.orders.send(Order::Stop(answer)).await.unwrap();
        code.await.unwrap()
    }

    pub(super) fn life(&self) -> Life {
        self.life.lock().unwrap().clone()
    }
}

async fn keep(command: ServiceCommand, mut orders: mpsc::Receiver<Order>, life: Arc<Mutex<Life>>) {
    loop {
        life.lock().unwrap().starts += 1;
        let mut process = command.spawn();
        let order = tokio::select! {
            order = orders.recv() => order,
            () = lives(&mut process, &command, &life) => {
                sleep(RESTART).await;
                continue;
            }
        };
        match order {
            Some(Order::Kill(pause)) => {
                life.lock().unwrap().kills += 1;
                process.kill().await;
                sleep(pause).await;
            }
            Some(Order::Stop(answer)) => {
                answer.send(process.terminate().await).unwrap();
                return;
            }
            None => return,
        }
    }
}

/// From the start to an end that nobody asked for.
async fn lives(process: &mut ServiceProcess, command: &ServiceCommand, life: &Mutex<Life>) {
    let started = tokio::select! {
        status = process.exits() => Err(status),
        () = answers(command.listen()) => Ok(()),
    };
    let up = started.is_ok();
    let status = match started {
        Ok(()) => process.exits().await,
        Err(status) => status,
    };
    let mut life = life.lock().unwrap();
    if up || status.code() != Some(1) {
        life.died.push(status);
    } else {
        life.gave_up += 1;
    }
}

async fn answers(address: SocketAddr) {
    while !get(address, "/ping").await.is_ok_and(|it| it.status == 200) {
        sleep(LOOK).await;
    }
}
