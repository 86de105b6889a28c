//! The table of the control API: each operation once, for the router, for the rules of access and worlds, and for the document
//! that describes it.

use poem::http::Method;
use poem::{Endpoint, Response};
use serde_json::{Value, json};

use super::operation::{AnswerContent, ControlOperation, delete, get, page, post, query, shape};
use super::{answer, clock, dashboard, data, faults, journal, route_list, server, sockets, state};
use crate::scenario::{FaultShape, PostedStepsShape};
use crate::world::Verdict;

/// All operations, in the order of the document, which that endpoint gives.
pub(super) fn operations(
    openapi: impl Endpoint<Output = Response> + 'static,
) -> impl Iterator<Item = ControlOperation> {
    dashboard()
        .into_iter()
        .chain(on_server(openapi))
        .chain(on_state())
        .chain(on_snapshots())
        .chain(on_journal())
        .chain(on_sockets())
        .chain(on_worlds())
        .chain(on_faults())
        .chain(on_scenarios())
}

fn dashboard() -> [ControlOperation; 2] {
    [page("/__mockd", dashboard::dashboard_page), page("/__mockd/dashboard/{file}", dashboard::dashboard_file)]
}

/// Those on the server.
fn on_server(openapi: impl Endpoint<Output = Response> + 'static) -> Vec<ControlOperation> {
    vec![
        get("/__mockd/health", server::health, "That the server is well", shape::<server::HealthAnswer>)
            .open()
            .of_server(),
        get("/__mockd/openapi.json", openapi, "This document", |_| json!({ "type": "object" })).open().of_server(),
        get(
            "/__mockd/categories",
            server::list_collections,
            "The scenario's name and categories",
            shape::<server::CollectionsAnswer>,
        )
        .open(),
        get(
            "/__mockd/routes",
            route_list::list_routes,
            "The requests that the mock API answers",
            shape::<route_list::RoutesAnswer>,
        )
        .open(),
        get(
            "/__mockd/reload",
            server::reload,
            "What became of the last save of the scenario",
            shape::<server::ReloadAnswer>,
        )
        .of_server()
        .query(query::<server::ReloadQuery>),
    ]
}

/// Those on what is in a world.
fn on_state() -> Vec<ControlOperation> {
    vec![
        get("/__mockd/state", state::get_state, "The world at this moment", shape::<state::StateAnswer>)
            .query(query::<state::StateQuery>),
        ControlOperation {
            method: Method::PATCH,
            ..post(
                "/__mockd/state",
                state::patch_state,
                "Set totals, or data, all or none",
                shape::<state::PatchRequest>,
                shape::<answer::Happened>,
            )
        },
        post(
            "/__mockd/reset",
            state::reset,
            "Back to the scenario's start: totals, products, clock, random streams, journal, snapshots; open sockets \
             stay and get current orders",
            shape::<state::ResetRequest>,
            shape::<answer::DoneAnswer>,
        )
        .optional(),
        get("/__mockd/clock", clock::get_clock, "The clock", shape::<answer::ClockAnswer>),
        post(
            "/__mockd/clock",
            clock::set_clock,
            "Stop, start, speed up or advance the clock; answered when everything until then has happened and is \
             written to the open sockets",
            shape::<clock::ClockRequest>,
            shape::<clock::AdvanceAnswer>,
        ),
        post(
            "/__mockd/orders",
            state::count,
            "Carry out orders, all or none",
            shape::<state::CountRequest>,
            shape::<answer::Happened>,
        ),
        post(
            "/__mockd/steps",
            state::post_steps,
            "Carry out steps, all or none; later ones belong to the world",
            |generator| generator.subschema_for::<PostedStepsShape>().to_value(),
            shape::<answer::Happened>,
        )
        .errors(&["400", "404", "409", "413", "415", "503"]),
        ControlOperation {
            content: AnswerContent::Lines,
            ..get(
                "/__mockd/transcript",
                journal::get_transcript,
                "Every event since the start or reset, as JSON lines",
                |_| Value::Null,
            )
            .query(|_| {
                json!({ "properties": { "after": { "type": "integer", "minimum": 0,
                    "description": "Only events after that number." } } })
            })
        },
        get("/__mockd/data", data::get_data, "What `data` is now, in brief", shape::<data::DataAnswer>)
            .query(query::<data::DataQuery>),
        get("/__mockd/products", state::list_rows, "All categories with their products", shape::<state::RowsAnswer>),
        get(
            "/__mockd/timeline",
            clock::get_timeline,
            "What happens by itself, and how far it is",
            shape::<clock::TimelineAnswer>,
        ),
    ]
}

/// Those on snapshots.
fn on_snapshots() -> Vec<ControlOperation> {
    vec![
        get("/__mockd/snapshots", state::list_snapshots, "The snapshots", shape::<state::SnapshotsAnswer>),
        post(
            "/__mockd/snapshots",
            state::save,
            "Keep this moment",
            shape::<state::SnapshotRequest>,
            shape::<answer::DoneAnswer>,
        )
        .errors(&["400", "409", "413", "415"]),
        delete("/__mockd/snapshots/{name}", state::forget, "Drop a snapshot", &["404"]),
        ControlOperation {
            request: None,
            ..post(
                "/__mockd/snapshots/{name}/restore",
                state::restore,
                "Go back to a snapshot",
                |_| Value::Null,
                shape::<answer::DoneAnswer>,
            )
            .errors(&["404"])
        },
    ]
}

/// Those on the journal.
fn on_journal() -> Vec<ControlOperation> {
    vec![
        get(
            "/__mockd/journal",
            journal::get_journal,
            "What happened between the world and its clients, without what the built-in page fetches for itself",
            shape::<journal::JournalAnswer>,
        )
        .query(query::<journal::JournalQuery>),
        delete("/__mockd/journal", journal::clear_journal, "Empty the journal", &[]),
        post(
            "/__mockd/journal/wait",
            journal::wait,
            "Wait for entries",
            shape::<journal::WaitRequest>,
            shape::<Verdict>,
        ),
        post(
            "/__mockd/verify",
            journal::verify,
            "Hold the journal against expectations",
            shape::<journal::VerifyRequest>,
            shape::<Verdict>,
        ),
    ]
}

/// Those on live sockets.
fn on_sockets() -> Vec<ControlOperation> {
    const WITH_UNKNOWN: &[&str] = &["400", "404", "413", "415"];
    vec![
        get("/__mockd/sockets", sockets::list_sockets, "The open sockets", shape::<sockets::SocketsAnswer>)
            .query(query::<sockets::SocketsQuery>),
        post(
            "/__mockd/sockets/close",
            sockets::close_all,
            "Close all sockets",
            shape::<sockets::CloseRequest>,
            shape::<sockets::ClosedAnswer>,
        )
        .optional(),
        post(
            "/__mockd/sockets/send",
            sockets::send_all,
            "Send a frame to all sockets",
            shape::<sockets::SendRequest>,
            shape::<answer::DoneAnswer>,
        ),
        post(
            "/__mockd/sockets/{socket}/close",
            sockets::close,
            "Close a socket",
            shape::<sockets::CloseRequest>,
            shape::<sockets::ClosedAnswer>,
        )
        .optional()
        .errors(WITH_UNKNOWN),
        post(
            "/__mockd/sockets/{socket}/send",
            sockets::send,
            "Send a frame to a socket",
            shape::<sockets::SendRequest>,
            shape::<answer::DoneAnswer>,
        )
        .errors(WITH_UNKNOWN),
        post(
            "/__mockd/topics/{*topic}",
            sockets::send_to_topic,
            "Send a frame to all who have joined a topic, as a step does",
            shape::<sockets::SendRequest>,
            shape::<answer::Happened>,
        ),
    ]
}

/// Those on the worlds.
fn on_worlds() -> Vec<ControlOperation> {
    vec![
        get("/__mockd/worlds", server::list_worlds, "All worlds", shape::<server::WorldsAnswer>).of_server(),
        ControlOperation {
            status: "201",
            ..post(
                "/__mockd/worlds",
                server::make_world,
                "Make a world",
                shape::<server::WorldRequest>,
                shape::<server::WorldAnswer>,
            )
            .of_server()
            .errors(&["400", "409", "413", "415", "503"])
        },
        get("/__mockd/worlds/{name}", server::get_world, "One world", shape::<server::WorldAnswer>)
            .of_server()
            .errors(&["400", "404"]),
        delete(
            "/__mockd/worlds/{name}",
            server::remove_world,
            "Remove a world; its sockets are closed",
            &["400", "404", "409"],
        )
        .of_server(),
    ]
}

/// Those on faults.
fn on_faults() -> Vec<ControlOperation> {
    vec![
        get("/__mockd/faults", faults::list_faults, "What goes wrong on purpose", shape::<faults::FaultsAnswer>),
        post("/__mockd/faults", faults::add_fault, "Bring a fault", shape::<FaultShape>, shape::<faults::FaultAnswer>)
            .errors(&["400", "409", "413", "415"]),
        delete("/__mockd/faults", faults::clear_faults, "Lift all faults", &[]),
        get("/__mockd/faults/{fault}", faults::get_fault, "One fault, by number or name", shape::<faults::FaultAnswer>)
            .errors(&["404"]),
        ControlOperation {
            method: Method::PUT,
            ..post(
                "/__mockd/faults/{fault}",
                faults::change_fault,
                "Put another in the place of a fault",
                shape::<FaultShape>,
                shape::<faults::FaultAnswer>,
            )
            .errors(&["400", "404", "409", "413", "415"])
        },
        delete("/__mockd/faults/{fault}", faults::remove_fault, "Lift a fault", &["404"]),
    ]
}

/// Those on the files that can be served.
fn on_scenarios() -> Vec<ControlOperation> {
    vec![
        get(
            "/__mockd/scenarios",
            server::list_scenarios,
            "The scenario files that mockd was started with, and which of them is served",
            shape::<server::ScenariosAnswer>,
        )
        .of_server(),
        post(
            "/__mockd/scenarios",
            server::switch_scenario,
            "Serve another of the scenario files from now on, in all worlds, and follow it; open sockets stay, and so does \
             what is the same in both. Answered when it is done, as `GET /__mockd/reload` is then",
            shape::<server::SwitchRequest>,
            shape::<server::ReloadAnswer>,
        )
        .of_server()
        .errors(&["400", "404", "409", "413", "415", "422", "503"]),
    ]
}
