//! What a server does for its worlds in the background: it replaces a default world that has failed, and removes worlds that
//! nobody uses.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, error};

use super::{DEFAULT_WORLD, PAUSE_AFTER_A_FAILURE, Worlds, WorldsError};
use crate::world::{World, WorldStart};

/// The longest time that a world may be unused.
const LONGEST_IDLE: Duration = Duration::from_hours(10_000);

impl Worlds {
    /// Puts another in the place of the default world if it has ended, which only a defect can cause; the others are
    /// made again when they are asked for.
    pub(super) async fn keep_default(&self) {
        loop {
            let default = self.default_world();
            default.ended().await;
            if self.0.end.is_cancelled() {
                return;
            }
            error!("the default world has failed, which is a defect in mockd, please report it; it starts anew");
            // One that fails again and again leaves room for the others.
            tokio::time::sleep(PAUSE_AFTER_A_FAILURE).await;
            // A reload waits until the new world is in place: otherwise it would miss that one.
            let _no_reload = self.0.reloading.lock().await;
            let start = self.lock().start.clone();
            if let Ok(anew) = self.start_default(start).await {
                *self.0.default.write().unwrap_or_else(PoisonError::into_inner) = anew;
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

    /// Removes worlds that nobody uses.
    pub(super) async fn sweep(&self) {
        // Longer than any process runs, and short enough for the machine's clock.
        let idle = self.0.options.idle.min(LONGEST_IDLE);
        loop {
            let now = Instant::now();
            let unused = |_: &Arc<str>, world: &mut World| world.idle_since().is_some_and(|since| since + idle <= now);
            // Under the lock: a request that gets a world before or after it gets one that exists.
            let removed: Vec<World> = self.lock().named.extract_if(.., unused).map(|(_, world)| world).collect();
            for world in removed {
                debug!(world = %world.name(), "world removed, nobody uses it");
                world.end();
            }
            // A socket that is open now may close, and its world is unused from then on.
            let oldest = self.lock().named.values().map(|world| world.idle_since().unwrap_or(now)).min();
            match oldest {
                Some(since) => tokio::time::sleep_until(since + idle).await,
                None => self.0.made.notified().await,
            }
        }
    }
}
