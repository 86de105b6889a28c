//! `/__mockd/…`: what tests, tools and the browser app ask about the mock itself, and do with it.
//!
//! Below a world's prefix it is about that world. Each handler reads its request as a type, calls the world, and answers
//! with a type; the types make the document that describes it ([`mod@openapi`]).

mod about;
mod answer;
mod clock;
mod dashboard;
mod faults;
mod input;
mod journal;
mod openapi;
mod orders;
mod products;
mod scenarios;
mod snapshots;
mod sockets;
mod state;
mod timeline;
mod worlds;

pub(super) use about::{categories, get_openapi, health, reload};
pub(super) use clock::{get_clock, set_clock};
pub(super) use dashboard::{dashboard_file, dashboard_page};
pub(super) use faults::{add_fault, change_fault, clear_faults, get_fault, list_faults, remove_fault};
pub(super) use journal::{clear_journal, get_journal, get_transcript, verify, wait};
pub(super) use orders::post_orders;
pub(super) use products::list_products;
pub(super) use scenarios::{list_scenarios, switch_scenario};
pub(super) use snapshots::{forget, list_snapshots, restore, save};
pub(super) use sockets::{close, close_all, list_sockets, send, send_all};
pub(super) use state::{get_state, patch_state, reset};
pub(super) use timeline::get_timeline;
pub(super) use worlds::{get_world, list_worlds, make_world, remove_world};
