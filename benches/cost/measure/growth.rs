//! A plot of the cost per delivery by number of sockets, and of the cost per event by number of products.

use std::fs;
use std::path::Path;

use super::fanout::{Size, cost, round};
use super::{Bench, us};
use crate::client::Client;
use crate::delivery::Delivery;
use crate::figures::count;
use crate::plot::{Line, Panel, draw};
use crate::scenarios;
use crate::subject::{FLOOR, Subject};

const SOCKETS: [usize; 4] = [10, 100, 1_000, 10_000];

const PRODUCTS: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

/// The path of the plot.
const PLOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/growth.svg");

pub(super) fn run(bench: &mut Bench) {
    if bench.is_short {
        return;
    }
    let subjects = bench.own();
    for sockets in SOCKETS {
        // `fanout` may have measured this size already.
        if bench.figures.median(&cost(sockets), FLOOR).is_none() {
            let updates = (200_000 / sockets).clamp(20, 1_000);
            let size = Size { sockets, updates, burst: 0, rounds: 3 };
            bench.alternate(&subjects, size.rounds, |bench, subject| round(bench, subject, &size));
        }
    }
    let mockd = bench.mockd.clone();
    for count in PRODUCTS {
        bench.alternate(&mockd, 3, |bench, subject| products(bench, subject, count));
    }
    plot(bench, Path::new(PLOT));
}

fn event_cost(products: usize) -> String {
    format!("CPU per event, {products} products")
}

/// Measures orders for each product in turn, with one open socket.
fn products(bench: &mut Bench, subject: &Subject, products: usize) {
    let events = 3_000;
    let server = subject.start_with(&scenarios::products(&bench.scratch, products), &["--paused"]);
    let mut client = Client::new();
    client.open(server.address, "/orders/few", 1, 1);
    let mut delivery = Delivery::new(&server, &mut client, products, 0);
    delivery.one_by_one(events / 10).expect("nothing lost, nothing reordered");
    let before = delivery.cpu();
    delivery.one_by_one(events).expect("nothing lost, nothing reordered");
    let cpu = us(delivery.cpu() - before) / count(events);
    delivery.end().expect("no extra frames");
    bench.figures.add(&event_cost(products), "µs", &subject.name, cpu);
}

fn plot(bench: &Bench, path: &Path) {
    let line = |subject: &str, sizes: &[usize], figure: fn(usize) -> String| Line {
        name: subject.into(),
        points: sizes.iter().filter_map(|size| Some((*size, bench.figures.median(&figure(*size), subject)?))).collect(),
    };
    let mockd = &bench.mockd[0].name;
    let panels = [
        Panel {
            title: "Server CPU per delivered update (µs)",
            x: "open sockets",
            lines: vec![line(mockd, &SOCKETS, cost), line(FLOOR, &SOCKETS, cost)],
        },
        Panel {
            title: "Server CPU per posted event (µs), one socket",
            x: "products",
            lines: vec![line(mockd, &PRODUCTS, event_cost)],
        },
    ];
    fs::write(path, draw(&panels)).expect("the plot is written");
    eprintln!("  wrote {}", path.display());
}
