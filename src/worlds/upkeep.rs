//! What happens to worlds without anybody asking for it: the default one is made anew if it fails, and others end that nobody
//! uses.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::{debug, error};

use super::shared::{Wanted, open};
use super::{DEFAULT_WORLD, Worlds, WorldsError};
use crate::engine::Engine;
use crate::world::{Seat, World};

/// The longest time that a world may be unused.
const LONGEST_IDLE: Duration = Duration::from_hours(10_000);

/// How long the default world is not there after it has failed.
const PAUSE_AFTER_A_FAILURE: Duration = Duration::from_millis(100);

impl Worlds {
    /// Puts another in the place of the default world if it has ended, which only a defect can cause; the others are
    /// made anew when they are asked for.
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
            let start = self.lock().start.clone();
            let Ok(anew) = self.start_default(start).await else { continue };
            *self.0.default.write().unwrap_or_else(PoisonError::into_inner) = anew;
        }
    }

    async fn start_default(&self, start: Engine) -> Result<World, WorldsError> {
        let (name, setup, end) = (DEFAULT_WORLD.into(), self.setup(), self.0.end.child_token());
        let Some(sharing) = &self.0.sharing else { return Ok(World::start(name, start, &setup, end, &self.0.tasks)) };
        let birth = self.birth(&start, &setup, sharing).await;
        let opened = open(DEFAULT_WORLD, Wanted::Either, birth, sharing, None).await?;
        let seat = Seat { sharing: sharing.clone(), opened, lifetime: None, is_default: true };
        Ok(World::join(name, start, &setup, seat, end, &self.0.tasks).await?)
    }

    /// Removes worlds that nobody uses.
    pub(super) async fn sweep(&self) {
        // Longer than any process runs, and short enough for the machine's clock.
        let idle = self.0.options.idle.min(LONGEST_IDLE);
        loop {
            let now = Instant::now();
            let unused = |_: &Arc<str>, world: &mut World| world.idle_since().is_some_and(|since| since + idle <= now);
            // Under the lock: whoever gets a world before it or after it gets one that is there.
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
