//! Guarantees that rules are notified when a socket or a stream ends, even if the future that would do so is dropped.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::World;
use super::socket::Socket;

/// Notifies the rules of a member, when dropped, that its connection has ended. Does nothing for sockets of collections.
#[derive(Debug)]
pub(super) struct CloseNotifier(Option<(World, Arc<Socket>)>);

impl CloseNotifier {
    pub(super) fn of(world: &World, socket: &Arc<Socket>) -> Self {
        Self(socket.is_rule_driven().then(|| (world.clone(), socket.clone())))
    }

    /// Creates a notifier that notifies nothing.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Notifies the rules and waits until they have run.
    pub(super) async fn notify(mut self) {
        if let Some((world, socket)) = &self.0 {
            world.member_gone(socket).await;
        }
        // Disarmed only now: if this future is dropped while it waits, the drop still has to notify the rules.
        self.0 = None;
    }
}

impl Drop for CloseNotifier {
    fn drop(&mut self) {
        // Without a runtime, the world has ended too.
        if let Some((world, socket)) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { world.member_gone(&socket).await });
        }
    }
}
