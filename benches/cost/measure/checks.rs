//! Verifies that the delivery checks detect a lost, a repeated and a reordered update.

use super::Bench;
use crate::client::Client;
use crate::delivery::Delivery;
use crate::subject::{LIVE, TOTAL, start_floor};

pub(super) fn run(_: &mut Bench) {
    for fault in ["drop", "swap", "repeat"] {
        let server = start_floor(&["--fault", fault]);
        let mut client = Client::new();
        client.open(server.address, LIVE.0, 4, LIVE.1);
        let mut delivery = Delivery::new(&server, &mut client, 1, TOTAL);
        let found = delivery.burst(9).and_then(|()| delivery.burst(20)).expect_err("the checks detect the fault");
        eprintln!("  a floor with the fault {fault}: {found}");
    }
}
