//! What can be asked of the control API.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::super::{
    about, answer, clock, faults, journal, orders, products, scenarios, snapshots, sockets, state, timeline, worlds,
};
use crate::scenario::FaultShape;
use crate::world::Verdict;

pub(super) type Shape = fn(&mut SchemaGenerator) -> Value;

/// One operation of the API.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) request: Option<Shape>,
    /// Whether the request's body may be missing.
    pub(super) is_optional: bool,
    pub(super) status: &'static str,
    pub(super) answer: Answer,
    pub(super) errors: &'static [&'static str],
    /// Whether everybody may ask, or only who may control the mock.
    pub(super) is_open: bool,
}

pub(super) enum Answer {
    Json(Shape),
    Lines,
}

pub(super) fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

fn get(path: &'static str, summary: &'static str, answer: Shape) -> Operation {
    let (method, status, answer) = ("get", "200", Answer::Json(answer));
    Operation { method, path, summary, request: None, is_optional: false, status, answer, errors: &[], is_open: false }
}

fn post(path: &'static str, summary: &'static str, request: Shape, answer: Shape) -> Operation {
    Operation { method: "post", request: Some(request), errors: &["400", "413", "415"], ..get(path, summary, answer) }
}

fn delete(path: &'static str, summary: &'static str, errors: &'static [&'static str]) -> Operation {
    Operation { method: "delete", errors, ..get(path, summary, shape::<answer::Done>) }
}

impl Operation {
    fn open(self) -> Self {
        Self { is_open: true, ..self }
    }

    fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    fn errors(self, errors: &'static [&'static str]) -> Self {
        Self { errors, ..self }
    }
}

/// All operations.
pub(super) fn operations() -> impl Iterator<Item = Operation> {
    on_worlds().into_iter().chain(on_faults()).chain(on_scenarios())
}

fn on_worlds() -> Vec<Operation> {
    const WITH_UNKNOWN: &[&str] = &["400", "404", "413", "415"];
    vec![
        get("/__mockd/health", "That the server is well", shape::<about::HealthAnswer>).open(),
        get("/__mockd/openapi.json", "This document", |_| json!({ "type": "object" })).open(),
        get("/__mockd/categories", "The scenario's name and categories", shape::<about::CategoriesAnswer>).open(),
        get("/__mockd/reload", "What became of the last save of the scenario", shape::<about::ReloadAnswer>)
            .errors(&["400"]),
        get("/__mockd/state", "The world at this moment", shape::<state::StateAnswer>),
        Operation {
            method: "patch",
            ..post("/__mockd/state", "Set totals, all or none", shape::<state::PatchRequest>, shape::<answer::Happened>)
        },
        post(
            "/__mockd/reset",
            "Back to the scenario's start: totals, products, clock, random streams, journal, snapshots; open sockets \
             stay and get current orders",
            shape::<state::ResetRequest>,
            shape::<answer::Done>,
        )
        .optional(),
        get("/__mockd/clock", "The clock", shape::<answer::ClockAnswer>),
        post(
            "/__mockd/clock",
            "Stop, start, speed up or advance the clock; answered when everything until then has happened and is \
             written to the open sockets",
            shape::<clock::ClockRequest>,
            shape::<clock::Advanced>,
        ),
        post(
            "/__mockd/orders",
            "Carry out orders, all or none",
            shape::<orders::OrdersRequest>,
            shape::<answer::Happened>,
        ),
        Operation {
            answer: Answer::Lines,
            errors: &["400"],
            ..get("/__mockd/transcript", "Every event since the start or reset, as JSON lines", |_| Value::Null)
        },
        get("/__mockd/products", "All categories with their products", shape::<products::ProductsAnswer>),
        get("/__mockd/timeline", "What happens by itself, and how far it is", shape::<timeline::TimelineAnswer>),
        get("/__mockd/snapshots", "The snapshots", shape::<snapshots::SnapshotsAnswer>),
        post("/__mockd/snapshots", "Keep this moment", shape::<snapshots::SnapshotRequest>, shape::<answer::Done>)
            .errors(&["400", "409", "413", "415"]),
        delete("/__mockd/snapshots/{name}", "Drop a snapshot", &["404"]),
        Operation {
            request: None,
            ..post("/__mockd/snapshots/{name}/restore", "Go back to a snapshot", |_| Value::Null, shape::<answer::Done>)
                .errors(&["404"])
        },
        get("/__mockd/journal", "What happened between the world and its clients", shape::<journal::JournalAnswer>)
            .errors(&["400"]),
        delete("/__mockd/journal", "Empty the journal", &[]),
        post("/__mockd/journal/wait", "Wait for entries", shape::<journal::WaitRequest>, shape::<Verdict>),
        post(
            "/__mockd/verify",
            "Hold the journal against expectations",
            shape::<journal::VerifyRequest>,
            shape::<Verdict>,
        ),
        get("/__mockd/sockets", "The open sockets", shape::<sockets::SocketsAnswer>).errors(&["400"]),
        post(
            "/__mockd/sockets/close",
            "Close all sockets",
            shape::<sockets::CloseRequest>,
            shape::<sockets::ClosedAnswer>,
        )
        .optional(),
        post(
            "/__mockd/sockets/send",
            "Send a frame to all sockets",
            shape::<sockets::SendRequest>,
            shape::<answer::Done>,
        ),
        post(
            "/__mockd/sockets/{socket}/close",
            "Close a socket",
            shape::<sockets::CloseRequest>,
            shape::<sockets::ClosedAnswer>,
        )
        .optional()
        .errors(WITH_UNKNOWN),
        post(
            "/__mockd/sockets/{socket}/send",
            "Send a frame to a socket",
            shape::<sockets::SendRequest>,
            shape::<answer::Done>,
        )
        .errors(WITH_UNKNOWN),
        get("/__mockd/worlds", "All worlds", shape::<worlds::WorldsAnswer>),
        Operation {
            status: "201",
            ..post("/__mockd/worlds", "Make a world", shape::<worlds::WorldRequest>, shape::<worlds::WorldAnswer>)
                .errors(&["400", "409", "413", "415", "503"])
        },
        get("/__mockd/worlds/{name}", "One world", shape::<worlds::WorldAnswer>).errors(&["400", "404"]),
        delete("/__mockd/worlds/{name}", "Remove a world; its sockets are closed", &["400", "404", "409"]),
    ]
}

/// Those on faults.
fn on_faults() -> Vec<Operation> {
    vec![
        get("/__mockd/faults", "What goes wrong on purpose", shape::<faults::FaultsAnswer>),
        post("/__mockd/faults", "Bring a fault", shape::<FaultShape>, shape::<faults::FaultAnswer>)
            .errors(&["400", "409", "413", "415"]),
        delete("/__mockd/faults", "Lift all faults", &[]),
        get("/__mockd/faults/{fault}", "One fault, by number or name", shape::<faults::FaultAnswer>).errors(&["404"]),
        Operation {
            method: "put",
            ..post(
                "/__mockd/faults/{fault}",
                "Put another in the place of a fault",
                shape::<FaultShape>,
                shape::<faults::FaultAnswer>,
            )
            .errors(&["400", "404", "409", "413", "415"])
        },
        delete("/__mockd/faults/{fault}", "Lift a fault", &["404"]),
    ]
}

/// Those on the files that can be served.
fn on_scenarios() -> Vec<Operation> {
    vec![
        get(
            "/__mockd/scenarios",
            "The scenario files that mockd was started with, and which of them is served",
            shape::<scenarios::ScenariosAnswer>,
        ),
        post(
            "/__mockd/scenarios",
            "Serve another of the scenario files from now on, in all worlds, and follow it; open sockets stay, and so does \
             what is the same in both. Answered when it is done, as `GET /__mockd/reload` is then",
            shape::<scenarios::SwitchRequest>,
            shape::<about::ReloadAnswer>,
        )
        .errors(&["400", "404", "409", "413", "415", "422", "503"]),
    ]
}
