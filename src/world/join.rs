//! Joining a [shared world](super::replica), and ending it on all servers.
//!
//! [`listen`] passes the entries of the world's log to its task for as long as the world runs.

mod listen;

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::listen::Listener;
use super::replica::{Departures, JoinOptions, LeaderElection, Playback, Replica};
use super::task::Task;
use super::{Handle, Setup, World, WorldError, WorldStart};
use crate::engine::Reload;

impl World {
    /// Joins a world at the end of its log, and returns once every entry that was in the log has been applied. Until
    /// then the world runs `start`, which nobody sees.
    ///
    /// # Errors
    /// [`WorldError::Unplayable`].
    pub(crate) async fn join(
        name: Arc<str>,
        start: WorldStart,
        setup: &Setup,
        options: JoinOptions,
        end: CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, WorldError> {
        let replica = Arc::new(Replica::new(name.clone(), &options));
        let (task, requests, view) = Task::new(name, start.clone(), setup, end.clone(), tasks);
        let shared = task.shared().clone();
        tasks.spawn(task.with_playback(Playback::new(replica.clone(), tasks.clone())).run());
        let listener = Listener {
            replica: replica.clone(),
            shared: shared.clone(),
            requests: requests.clone(),
            start,
            is_default: options.is_default,
        };
        let (joined, position) = oneshot::channel();
        tasks.spawn(listener.listen(options.opened, joined, end));
        tasks.spawn(LeaderElection::new(replica.clone(), shared.clone()).run());
        tasks.spawn(Departures::new(replica.clone(), shared.clone()).run());
        let position = position.await.map_err(|_| WorldError::Unplayable)?;
        replica.reached(position).await;
        Ok(Self(Arc::new(Handle { requests, view, shared, replica: Some(replica) })))
    }

    /// Switches all servers to a published scenario.
    pub(crate) async fn reload_shared(&self, scenario: String, seed: u64) -> Result<Reload, WorldError> {
        self.replica()?.reload(scenario, seed, self.now()).await
    }

    /// Ends the world on all servers.
    pub(crate) async fn end_everywhere(&self) -> Result<(), WorldError> {
        self.replica()?.end(self.now()).await
    }

    fn replica(&self) -> Result<&Replica, WorldError> {
        self.0.replica.as_deref().ok_or(WorldError::Defect)
    }
}
