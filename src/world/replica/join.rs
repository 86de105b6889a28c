//! How a server begins to play a world with others.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::listen::Listener;
use super::steer::Helm;
use super::{Replica, Seat};
use crate::engine::{Engine, Reload};
use crate::world::{Setup, World, WorldError};

impl World {
    /// Plays a world from where its log is; it is there when all that was in the log has been carried out. `start` is what
    /// is played until then, which nobody sees.
    ///
    /// # Errors
    /// [`WorldError::Unplayable`].
    pub(crate) async fn join(
        name: Arc<str>,
        start: Engine,
        setup: &Setup,
        seat: Seat,
        end: CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, WorldError> {
        let replica = Arc::new(Replica::new(name.clone(), &seat));
        let world = Self::begin(name, start.clone(), setup, Some(replica.clone()), end.clone(), tasks);
        let (shared, commands) = (world.0.shared.clone(), world.0.commands.clone());
        let listener =
            Listener { replica: replica.clone(), shared: shared.clone(), commands, start, is_default: seat.is_default };
        let (joined, position) = oneshot::channel();
        tasks.spawn(listener.listen(seat.opened, joined, end));
        tasks.spawn(Helm::new(replica.clone(), shared).steer());
        let position = position.await.map_err(|_| WorldError::Unplayable)?;
        replica.reached(position).await;
        Ok(world)
    }

    /// Has all servers go on with a scenario that is published.
    pub(crate) async fn follow_shared(&self, scenario: String, seed: u64) -> Result<Reload, WorldError> {
        let replica = self.0.shared.replica.as_ref().ok_or(WorldError::Defect)?;
        replica.follow(scenario, seed, self.now()).await
    }

    /// Ends the world on all servers.
    pub(crate) async fn end_everywhere(&self) -> Result<(), WorldError> {
        let replica = self.0.shared.replica.as_ref().ok_or(WorldError::Defect)?;
        replica.end(self.now()).await
    }
}
