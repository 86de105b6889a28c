//! What an endpoint is owed: it hears that its socket is closed, whoever lets go of that and when.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::World;
use super::socket::{Socket, SocketKind};

/// Has the endpoint of a socket hear that it is closed, once this is dropped. Nobody has to hear of other members.
#[derive(Debug)]
pub(super) struct Farewell(Option<(World, Arc<Socket>)>);

impl Farewell {
    pub(super) fn of(world: &World, socket: &Arc<Socket>) -> Self {
        let is_of_endpoint = matches!(socket.kind, SocketKind::Endpoint(_));
        Self(is_of_endpoint.then(|| (world.clone(), socket.clone())))
    }

    /// For nobody.
    pub(super) fn nobody() -> Self {
        Self(None)
    }

    /// Waits until the endpoint has heard of it.
    pub(super) async fn say(mut self) {
        if let Some((world, socket)) = &self.0 {
            world.socket_closed(socket).await;
        }
        // Only now: who gives up waiting for it has not said it.
        self.0 = None;
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        // Without a runtime, there is no world any more that could hear of it.
        if let Some((world, socket)) = self.0.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(async move { world.socket_closed(&socket).await });
        }
    }
}
