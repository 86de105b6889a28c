//! Background upkeep of a server's worlds: replacing a default world that has failed, and removing unused worlds.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, error};

use super::{DEFAULT_WORLD, RESTART_DELAY, Worlds, WorldsError};
use crate::world::{World, WorldStart};

/// The longest idle time that a world may have.
const MAX_IDLE: Duration = Duration::from_hours(10_000);

impl Worlds {
    /// Replaces the default world whenever it ends, which only a defect can cause. Other worlds are created again on
    /// request.
    pub(super) async fn keep_default(&self) {
        loop {
            let default = self.default_world();
            default.ended().await;
            if self.0.end.is_cancelled() {
                return;
            }
            error!("the default world failed and restarts; it is a defect in mockd, please report it");
            // Pause, so that a world that keeps failing does not starve the others.
            tokio::time::sleep(RESTART_DELAY).await;
            // Reloads wait until the new world is in place, because they would miss it otherwise.
            let _no_reload = self.0.reloading.lock().await;
            let start = self.lock().start.clone();
            if let Ok(restarted) = self.start_default(start).await {
                *self.0.default.write().unwrap_or_else(PoisonError::into_inner) = restarted;
            }
        }
    }

    async fn start_default(&self, start: WorldStart) -> Result<World, WorldsError> {
        if let Some(peers) = &self.0.peers {
            return peers.join_default(self, start).await;
        }
        let end = self.0.end.child_token();
        Ok(World::start(DEFAULT_WORLD.into(), start, &self.setup(), end, &self.0.tasks))
    }

    /// Removes unused worlds.
    pub(super) async fn sweep(&self) {
        // The limit exceeds the lifetime of any process, and is small enough for the machine's clock.
        let idle = self.0.options.idle.min(MAX_IDLE);
        loop {
            let now = Instant::now();
            let unused = |_: &Arc<str>, world: &mut World| world.idle_since().is_some_and(|since| since + idle <= now);
            // Under the lock, so that no request gets a world that is being removed.
            let removed: Vec<World> = self.lock().named.extract_if(.., unused).map(|(_, world)| world).collect();
            for world in removed {
                debug!(world = %world.name(), "unused world removed");
                world.end();
            }
            // A world with an open socket is in use now, and counts as unused once the socket closes.
            let oldest = self.lock().named.values().map(|world| world.idle_since().unwrap_or(now)).min();
            match oldest {
                Some(since) => tokio::time::sleep_until(since + idle).await,
                None => self.0.created.notified().await,
            }
        }
    }
}
