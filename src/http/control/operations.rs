//! The table of the control API's operations, from which the router, the access checks and the document are built.

use poem::http::Method;
use poem::{Endpoint, Response};
use serde_json::{Value, json};

use super::operation::{AnswerContent, ControlOperation, delete, get, page, post, query, schema};
use super::{answer, clock, dashboard, data, faults, journal, route_list, server, sockets, state};
use crate::scenario::{FaultShape, PostedStepsShape};
use crate::world::Verdict;

/// Returns all operations, in the order of the document. The `openapi` endpoint serves the document.
pub(super) fn operations(
    openapi: impl Endpoint<Output = Response> + 'static,
) -> impl Iterator<Item = ControlOperation> {
    dashboard_operations()
        .into_iter()
        .chain(server_operations(openapi))
        .chain(state_operations())
        .chain(snapshot_operations())
        .chain(journal_operations())
        .chain(socket_operations())
        .chain(world_operations())
        .chain(fault_operations())
        .chain(scenario_operations())
}

fn dashboard_operations() -> [ControlOperation; 2] {
    [page("/__mockd", dashboard::dashboard_page), page("/__mockd/dashboard/{file}", dashboard::dashboard_file)]
}

fn server_operations(openapi: impl Endpoint<Output = Response> + 'static) -> Vec<ControlOperation> {
    vec![
        get("/__mockd/health", server::health, "Check the health of the server", schema::<server::HealthAnswer>)
            .open()
            .on_server(),
        get("/__mockd/openapi.json", openapi, "Get this document", |_| json!({ "type": "object" })).open().on_server(),
        get(
            "/__mockd/categories",
            server::list_collections,
            "Get the scenario's name and categories",
            schema::<server::CollectionsAnswer>,
        )
        .open(),
        get(
            "/__mockd/routes",
            route_list::list_routes,
            "List the routes of the mock API",
            schema::<route_list::RoutesAnswer>,
        )
        .open(),
        get(
            "/__mockd/reload",
            server::reload,
            "Get the result of the last save of the scenario",
            schema::<server::ReloadAnswer>,
        )
        .on_server()
        .query(query::<server::ReloadQuery>),
    ]
}

fn state_operations() -> Vec<ControlOperation> {
    vec![
        get("/__mockd/state", state::get_state, "Get the current state of the world", schema::<state::StateAnswer>)
            .query(query::<state::StateQuery>),
        ControlOperation {
            method: Method::PATCH,
            ..post(
                "/__mockd/state",
                state::patch_state,
                "Set totals or data, all or none",
                schema::<state::PatchRequest>,
                schema::<answer::Happened>,
            )
        },
        post(
            "/__mockd/reset",
            state::reset,
            "Reset the world to the scenario's start: data, totals, products, clock, random streams, journal and \
             snapshots; sockets of a shop stay open and receive the current orders",
            schema::<state::ResetRequest>,
            schema::<answer::DoneAnswer>,
        )
        .optional_body(),
        get("/__mockd/clock", clock::get_clock, "Get the clock", schema::<answer::ClockAnswer>),
        post(
            "/__mockd/clock",
            clock::set_clock,
            "Pause, resume, speed up or advance the clock. The answer comes once everything due has happened and has \
             been written to the open sockets",
            schema::<clock::ClockRequest>,
            schema::<clock::AdvanceAnswer>,
        ),
        post(
            "/__mockd/orders",
            state::count,
            "Place orders, all or none",
            schema::<state::CountRequest>,
            schema::<answer::Happened>,
        ),
        post(
            "/__mockd/steps",
            state::post_steps,
            "Run steps, all or none. Delayed steps are scheduled in the world",
            |generator| generator.subschema_for::<PostedStepsShape>().to_value(),
            schema::<answer::Happened>,
        )
        .errors(&["400", "404", "409", "413", "415", "503"]),
        ControlOperation {
            content: AnswerContent::Lines,
            ..get(
                "/__mockd/transcript",
                journal::get_transcript,
                "Get every event since the start or the last reset, as JSON lines",
                |_| Value::Null,
            )
            .query(|_| {
                json!({ "properties": { "after": { "type": "integer", "minimum": 0,
                    "description": "Only events after this number." } } })
            })
        },
        get("/__mockd/data", data::get_data, "Get a summary of the current `data`", schema::<data::DataAnswer>)
            .query(query::<data::DataQuery>),
        get(
            "/__mockd/products",
            state::list_rows,
            "List all categories with their products",
            schema::<state::RowsAnswer>,
        ),
        get(
            "/__mockd/timeline",
            clock::get_timeline,
            "List scripts, generators and scheduled steps, with their progress",
            schema::<clock::TimelineAnswer>,
        ),
    ]
}

fn snapshot_operations() -> Vec<ControlOperation> {
    vec![
        get("/__mockd/snapshots", state::list_snapshots, "List the snapshots", schema::<state::SnapshotsAnswer>),
        post(
            "/__mockd/snapshots",
            state::save_snapshot,
            "Save a snapshot of the current state",
            schema::<state::SnapshotRequest>,
            schema::<answer::DoneAnswer>,
        )
        .errors(&["400", "409", "413", "415"]),
        delete("/__mockd/snapshots/{name}", state::delete_snapshot, "Delete a snapshot", &["404"]),
        ControlOperation {
            request: None,
            ..post(
                "/__mockd/snapshots/{name}/restore",
                state::restore_snapshot,
                "Restore a snapshot",
                |_| Value::Null,
                schema::<answer::DoneAnswer>,
            )
            .errors(&["404"])
        },
    ]
}

fn journal_operations() -> Vec<ControlOperation> {
    vec![
        get(
            "/__mockd/journal",
            journal::get_journal,
            "List what happened between the world and its clients, except what the built-in page fetches for itself",
            schema::<journal::JournalAnswer>,
        )
        .query(query::<journal::JournalQuery>),
        delete("/__mockd/journal", journal::clear_journal, "Clear the journal", &[]),
        post(
            "/__mockd/journal/wait",
            journal::wait,
            "Wait for journal entries",
            schema::<journal::WaitRequest>,
            schema::<Verdict>,
        ),
        post(
            "/__mockd/verify",
            journal::verify,
            "Check the journal against expectations",
            schema::<journal::VerifyRequest>,
            schema::<Verdict>,
        ),
    ]
}

fn socket_operations() -> Vec<ControlOperation> {
    /// The errors of an operation on one socket, which may not exist.
    const ONE_SOCKET: &[&str] = &["400", "404", "413", "415"];
    vec![
        get(
            "/__mockd/sockets",
            sockets::list_sockets,
            "List the open sockets and streams",
            schema::<sockets::SocketsAnswer>,
        )
        .query(query::<sockets::SocketsQuery>),
        post(
            "/__mockd/sockets/close",
            sockets::close_all,
            "Close all sockets and end all streams",
            schema::<sockets::CloseRequest>,
            schema::<sockets::ClosedAnswer>,
        )
        .optional_body(),
        post(
            "/__mockd/sockets/send",
            sockets::send_all,
            "Send a frame to all sockets and streams",
            schema::<sockets::SendRequest>,
            schema::<answer::DoneAnswer>,
        ),
        post(
            "/__mockd/sockets/{socket}/close",
            sockets::close,
            "Close a socket or end a stream",
            schema::<sockets::CloseRequest>,
            schema::<sockets::ClosedAnswer>,
        )
        .optional_body()
        .errors(ONE_SOCKET),
        post(
            "/__mockd/sockets/{socket}/send",
            sockets::send,
            "Send a frame to a socket or stream",
            schema::<sockets::SendRequest>,
            schema::<answer::DoneAnswer>,
        )
        .errors(ONE_SOCKET),
        post(
            "/__mockd/topics/{*topic}",
            sockets::send_to_topic,
            "Send a frame to all members of a topic, as a step does",
            schema::<sockets::SendRequest>,
            schema::<answer::Happened>,
        ),
    ]
}

fn world_operations() -> Vec<ControlOperation> {
    vec![
        get("/__mockd/worlds", server::list_worlds, "List all worlds", schema::<server::WorldsAnswer>).on_server(),
        ControlOperation {
            status: "201",
            ..post(
                "/__mockd/worlds",
                server::create_world,
                "Create a world",
                schema::<server::WorldRequest>,
                schema::<server::WorldAnswer>,
            )
            .on_server()
            .errors(&["400", "409", "413", "415", "503"])
        },
        get("/__mockd/worlds/{name}", server::get_world, "Get a world", schema::<server::WorldAnswer>)
            .on_server()
            .errors(&["400", "404"]),
        delete(
            "/__mockd/worlds/{name}",
            server::remove_world,
            "Remove a world and close its sockets",
            &["400", "404", "409"],
        )
        .on_server(),
    ]
}

fn fault_operations() -> Vec<ControlOperation> {
    vec![
        get("/__mockd/faults", faults::list_faults, "List the faults", schema::<faults::FaultsAnswer>),
        post("/__mockd/faults", faults::add_fault, "Add a fault", schema::<FaultShape>, schema::<faults::FaultAnswer>)
            .errors(&["400", "409", "413", "415"]),
        delete("/__mockd/faults", faults::clear_faults, "Remove all faults", &[]),
        get(
            "/__mockd/faults/{fault}",
            faults::get_fault,
            "Get a fault by its number or name",
            schema::<faults::FaultAnswer>,
        )
        .errors(&["404"]),
        ControlOperation {
            method: Method::PUT,
            ..post(
                "/__mockd/faults/{fault}",
                faults::replace_fault,
                "Replace a fault",
                schema::<FaultShape>,
                schema::<faults::FaultAnswer>,
            )
            .errors(&["400", "404", "409", "413", "415"])
        },
        delete("/__mockd/faults/{fault}", faults::remove_fault, "Remove a fault", &["404"]),
    ]
}

fn scenario_operations() -> Vec<ControlOperation> {
    vec![
        get(
            "/__mockd/scenarios",
            server::list_scenarios,
            "List the scenario files that mockd was started with, and which of them is served",
            schema::<server::ScenariosAnswer>,
        )
        .on_server(),
        post(
            "/__mockd/scenarios",
            server::switch_scenario,
            "Switch all worlds to another of the scenario files and watch that file from then on. Open sockets and \
             everything that is the same in both files stay. The answer comes after the switch and is that of \
             `GET /__mockd/reload`",
            schema::<server::SwitchRequest>,
            schema::<server::ReloadAnswer>,
        )
        .on_server()
        .errors(&["400", "404", "409", "413", "415", "422", "503"]),
    ]
}
