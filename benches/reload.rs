//! Time from a save to the frame on the last of 100 open sockets, in milliseconds.
//!
//! Saves a file 50 times in each of two ways: written in place, and renamed over the old file.
//!
//! `cargo bench --bench reload`

#![allow(clippy::unwrap_used, reason = "a bench reports its failures by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::future::join_all;
use mockd::http::{ControlAccess, Hosts, Limits, Site};
use mockd::scenario::{Cors, Style, load};
use mockd::selector::{ScenarioFiles, ScenarioSelector};
use mockd::server::{Server, ServerConfig};
use mockd::watch::{Watch, WatchMode};
use mockd::worlds::WorldOptions;
use tokio_tungstenite::connect_async;

const SOCKETS: usize = 100;
const SAVES: usize = 50;

type Save = fn(&Path, &str);

fn in_place(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn by_rename(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn scenario(total: usize) -> String {
    format!("categories: {{ toys: {{ prefix: T, products: [{{ id: T1, total: {total} }}] }} }}\n")
}

async fn latencies(save: Save) -> Vec<f64> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("toys.yaml");
    in_place(&path, &scenario(0));
    let loaded = load(&path);
    let (selector, switches) = ScenarioSelector::new(ScenarioFiles::new([path.clone()]), &path);
    let config = ServerConfig {
        address: ([127, 0, 0, 1], 0).into(),
        also_ipv6_loopback: false,
        site: Site::BuiltIn,
        cors: Cors::Any,
        seed: 1,
        worlds: WorldOptions::default(),
        access: ControlAccess::Local { origins: Vec::new() },
        hosts: Hosts::Any,
        limits: Limits::default(),
        selector,
        store: None,
    };
    let server = Server::start(&Arc::new(loaded.outcome.unwrap()), config).await.unwrap();
    let watch = Watch {
        path: path.clone(),
        mode: WatchMode::Events,
        seed: None,
        style: Style::Plain,
        reloads: server.reloads().clone(),
        switches,
    };
    let following = tokio::spawn(watch.follow(server.worlds().clone(), loaded.files, server.shutdown().clone()));
    let url = format!("ws://{}/orders/toys", server.address());
    let mut sockets = join_all((0..SOCKETS).map(|_| async { connect_async(&url).await.unwrap().0 })).await;
    join_all(sockets.iter_mut().map(StreamExt::next)).await;
    let mut latencies = Vec::new();
    for total in 1..=SAVES {
        save(&path, &scenario(total));
        let saved = Instant::now();
        join_all(sockets.iter_mut().map(StreamExt::next)).await;
        latencies.push(saved.elapsed().as_secs_f64() * 1000.0);
    }
    server.stop().await;
    following.await.unwrap();
    latencies.sort_by(f64::total_cmp);
    latencies
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, save) in [("written in place", in_place as Save), ("renamed over", by_rename)] {
        let sorted = runtime.block_on(latencies(save));
        let (median, maximum) = (sorted[sorted.len() / 2], sorted[sorted.len() - 1]);
        println!("{name:16}  {SAVES} saves, {SOCKETS} sockets: median {median:.1} ms, maximum {maximum:.1} ms");
    }
}
