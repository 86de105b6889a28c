//! The HTTP side: the route table. Paths are answered with and without a trailing slash.

mod accept;
mod body;
mod control;
mod cors;
mod envelope;
mod error;
mod live;
mod orders;
mod products;
mod site;

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Response, Route, get};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use accept::NoDelayAcceptor;
use envelope::Envelope;
pub use site::Site;

use crate::reloads::Reloads;
use crate::scenario::Cors;
use crate::world::World;

/// What every handler works with.
pub(crate) struct App {
    pub(crate) world: World,
    pub(crate) reloads: Reloads,
    /// Open sockets, each a task that the server waits for.
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
}

/// All routes of the API, and the site at whatever is left.
pub(crate) fn routes(app: App, site: &Site, cors: Cors) -> impl Endpoint<Output = Response> + 'static {
    let app = Arc::new(app);
    let site = Arc::new(site.endpoint());
    let list = || products::List { app: app.clone(), site: site.clone() };
    let mut routes = Route::new().at("/", site.clone()).at("/*", site.clone());
    for slash in ["", "/"] {
        routes = routes
            .at(format!("/:category{slash}"), get(list()).post(products::add))
            .at(format!("/orders/:id{slash}"), get(live::open).post(orders::add))
            .at(format!("/__mockd/state{slash}"), get(control::state))
            .at(format!("/__mockd/reload{slash}"), get(control::reload));
    }
    Envelope { inner: routes.data(app), cors }
}
