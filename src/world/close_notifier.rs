//! Guarantees that an endpoint is notified when its socket closes, even if the future that would do so is dropped.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::World;
use super::socket::{Socket, SocketKind};

/// Notifies the endpoint of a socket, when dropped, that the socket is closed. Does nothing for other members.
#[derive(Debug)]
pub(super) struct CloseNotifier(Option<(World, Arc<Socket>)>);

impl CloseNotifier {
    pub(super) fn of(world: &World, socket: &Arc<Socket>) -> Self {
        let is_of_endpoint = matches!(socket.kind, SocketKind::Endpoint(_));
        Self(is_of_endpoint.then(|| (world.clone(), socket.clone())))
    }

    /// Creates a notifier that notifies no endpoint.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Notifies the endpoint and waits until it has been notified.
    pub(super) async fn notify(mut self) {
        if let Some((world, socket)) = &self.0 {
            world.socket_closed(socket).await;
        }
        // Disarmed only now: if this future is dropped while it waits, the drop still has to notify the endpoint.
        self.0 = None;
    }
}

impl Drop for CloseNotifier {
    fn drop(&mut self) {
        // Without a runtime, the world has ended too.
        if let Some((world, socket)) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { world.socket_closed(&socket).await });
        }
    }
}
