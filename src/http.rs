//! The HTTP side: the route table. Paths are answered with and without a trailing slash.
//!
//! The two requests that are asked most take a short way (`express`). Any other goes through the `envelope` (CORS, HEAD),
//! `in_world` (which world it is for), `record` (the journal, and the `fate` that faults have for it) and `access` (who may
//! control), and then to its handler.

mod access;
mod body;
mod connections;
mod control;
mod cors;
mod envelope;
mod error;
mod express;
mod fate;
mod hosts;
mod in_world;
mod limits;
mod live;
mod orders;
mod products;
mod record;
mod seats;
mod site;
mod wire;

use std::sync::Arc;

use poem::error::ResponseError;
use poem::middleware::CatchPanic;
use poem::{Endpoint, EndpointExt, Response, Route, get, post};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use access::{BadToken, ControlAccess, Token};
pub(crate) use connections::{TOLD_AT_ONCE, serve};
use envelope::Envelope;
use error::ApiError;
use express::Express;
pub use hosts::Hosts;
use in_world::InWorld;
pub use limits::Limits;
pub(crate) use live::HighWater;
pub use live::{Command, CommandError};
use record::Record;
pub use site::Site;

use crate::reloads::Reloads;
use crate::scenario::Cors;
use crate::selector::ScenarioSelector;
use crate::worlds::Worlds;

/// What every handler works with.
pub(crate) struct App {
    pub(crate) worlds: Worlds,
    pub(crate) reloads: Reloads,
    pub(crate) choice: ScenarioSelector,
    pub(crate) access: ControlAccess,
    pub(crate) hosts: Hosts,
    pub(crate) cors: Cors,
    pub(crate) limits: Limits,
    /// Open sockets, each a task that the server waits for.
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown: CancellationToken,
    pub(crate) high_water: HighWater,
}

/// All that is served: the routes of the API with the site at whatever is left, and the short way to two of them.
pub(crate) fn service(app: Arc<App>, site: &Site) -> (Option<Express>, impl Endpoint<Output = Response> + 'static) {
    (Express::new(app.clone()), routes(app, site))
}

fn routes(app: Arc<App>, site: &Site) -> impl Endpoint<Output = Response> + 'static {
    let site = Arc::new(site.endpoint());
    let list = || products::List { site: site.clone() };
    let mut routes = Route::new().at("/", site.clone()).at("/*", site.clone());
    for slash in ["", "/"] {
        routes = routes
            .at(format!("/:category{slash}"), get(list()).post(products::add))
            .at(format!("/orders/:id{slash}"), get(live::open).post(orders::add));
        routes = control_routes(routes, slash, &app);
    }
    let routes = alone(routes.data(app.clone()));
    let record = Record { inner: routes, app: app.clone() };
    Envelope { inner: InWorld { inner: record, app: app.clone() }, app }
}

/// A handler that fails fails alone: its request gets a 500, and nothing else is disturbed.
fn alone(routes: impl Endpoint<Output = Response> + 'static) -> impl Endpoint<Output = Response> + 'static {
    routes.with(CatchPanic::new().with_handler(|_| ApiError::Defect.as_response()))
}

/// `/__mockd/…`. What is open tells nothing but what the mock API itself tells.
fn control_routes(routes: Route, slash: &str, app: &Arc<App>) -> Route {
    let path = |path: &str| format!("/__mockd/{path}{slash}");
    let guarded = |endpoint| access::Guard { inner: endpoint, app: app.clone() };
    routes
        .at(if slash.is_empty() { "/__mockd" } else { "/__mockd/" }, get(control::dashboard_page))
        .at(path("dashboard/:file"), get(control::dashboard_file))
        .at(path("health"), get(control::health))
        .at(path("openapi.json"), get(control::get_openapi))
        .at(path("categories"), get(control::categories))
        .at(path("reload"), guarded(get(control::reload)))
        .at(path("scenarios"), guarded(get(control::list_scenarios).post(control::switch_scenario)))
        .at(path("state"), guarded(get(control::get_state).patch(control::patch_state)))
        .at(path("reset"), guarded(post(control::reset)))
        .at(path("clock"), guarded(get(control::get_clock).post(control::set_clock)))
        .at(path("orders"), guarded(post(control::post_orders)))
        .at(path("products"), guarded(get(control::list_products)))
        .at(path("timeline"), guarded(get(control::get_timeline)))
        .at(path("transcript"), guarded(get(control::get_transcript)))
        .at(path("snapshots"), guarded(get(control::list_snapshots).post(control::save)))
        .at(path("snapshots/:name"), guarded(poem::delete(control::forget)))
        .at(path("snapshots/:name/restore"), guarded(post(control::restore)))
        .at(path("journal"), guarded(get(control::get_journal).delete(control::clear_journal)))
        .at(path("journal/wait"), guarded(post(control::wait)))
        .at(path("verify"), guarded(post(control::verify)))
        .at(path("sockets"), guarded(get(control::list_sockets)))
        .at(path("sockets/close"), guarded(post(control::close_all)))
        .at(path("sockets/send"), guarded(post(control::send_all)))
        .at(path("sockets/:socket/close"), guarded(post(control::close)))
        .at(path("sockets/:socket/send"), guarded(post(control::send)))
        .at(path("faults"), guarded(get(control::list_faults).post(control::add_fault).delete(control::clear_faults)))
        .at(
            path("faults/:fault"),
            guarded(get(control::get_fault).put(control::change_fault).delete(control::remove_fault)),
        )
        .at(path("worlds"), guarded(get(control::list_worlds).post(control::make_world)))
        .at(path("worlds/:name"), guarded(get(control::get_world).delete(control::remove_world)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_that_fails_answers_500_and_the_next_request_is_answered_as_ever() {
        let fails = poem::endpoint::make_sync(|request| match request.uri().path() {
            "/fails" => panic!("a defect"),
            _ => Response::builder().body("fine"),
        });
        let routes = alone(fails);
        for (path, status) in [("/fails", 500), ("/", 200), ("/fails", 500)] {
            let request = poem::Request::builder().uri_str(path).finish();
            assert_eq!(routes.get_response(request).await.status(), status);
        }
    }
}
