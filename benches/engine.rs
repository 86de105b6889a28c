//! Events per second in virtual time, for the engine alone and for a world with a transcript and no sockets. Also the
//! time to read rows of a large collection.
//!
//! A read of a row by its id, or of a page in the collection's order, does not visit other rows: it must take less than
//! 1 ms with 100,000 rows. Filters, `?q=` and other orders visit all rows and have no such bound.
//!
//! `cargo bench --bench engine`

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench reports its failures by panicking")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use mockd::embed::Mockd;
use mockd::engine::{Engine, RuleRequest};
use mockd::scenario::{CrudOperation, Source, parse};
use mockd::world::Until;
use serde_json::{Map, Value};

/// Events in a virtual hour.
const EVENTS: u64 = 360_000;

const SCENARIO: &str = "
categories: { toys: { prefix: T, products: [{ id: T1 }, { id: T2 }] } }
orders: { scripts: [{ repeat: forever, steps: [{ at: 10ms, product: T1, amount: 1 }] }] }
";

fn engine(criterion: &mut Criterion) {
    let scenario = Arc::new(parse(&Source::new("hour.yaml", SCENARIO)).unwrap());
    let start = Engine::new(&scenario, 1);
    let mut group = criterion.benchmark_group("a virtual hour");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    group.bench_function("engine alone", |bencher| {
        bencher.iter(|| {
            let mut engine = start.clone();
            let mut events = 0;
            while events < EVENTS {
                events += black_box(engine.advance_some(Duration::from_hours(1), 4096)).len() as u64;
            }
        });
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mockd = runtime.block_on(Mockd::builder().yaml(SCENARIO).paused().start()).unwrap();
    group.bench_function("world without sockets", |bencher| {
        let world = mockd.default_world();
        let reset = || runtime.block_on(world.reset(None)).unwrap();
        let hour = |()| {
            let advanced = runtime.block_on(world.advance(Until::By(Duration::from_hours(1)))).unwrap();
            assert_eq!(advanced.count, EVENTS);
        };
        bencher.iter_batched(reset, hour, BatchSize::PerIteration);
    });
    group.finish();
    runtime.block_on(mockd.stop());
}

/// Number of rows in the collection.
const ROWS: usize = 100_000;

fn rows(criterion: &mut Criterion) {
    let text = format!(
        "data: {{ rows: {{ generate: {{ count: {ROWS}, row: {{ id: \"{{{{ index + 1 }}}}\", name: \"{{{{ fake('name') }}}}\" }} }} }} }}\n\
         http: {{ /rows: {{ crud: rows }} }}\n"
    );
    let scenario = Arc::new(parse(&Source::new("rows.yaml", &text)).unwrap());
    let engine = Engine::new(&scenario, 1);
    let answers = scenario.routes().answers("/rows").unwrap();
    let texts = |pairs: &[(&str, &str)]| -> Map<String, Value> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
    };
    let mut group = criterion.benchmark_group("100,000 rows");
    for (name, operation, path, query) in [
        ("get by id", CrudOperation::Get, texts(&[("id", "77777")]), texts(&[])),
        ("a page", CrudOperation::List, texts(&[]), texts(&[("_page", "5000"), ("_per_page", "20")])),
        (
            "a filtered page",
            CrudOperation::List,
            texts(&[]),
            texts(&[("name:contains", "an"), ("_page", "3"), ("_per_page", "20")]),
        ),
        ("a page of ?q=", CrudOperation::List, texts(&[]), texts(&[("q", "an"), ("_page", "3"), ("_per_page", "20")])),
        ("a page in another order", CrudOperation::List, texts(&[]), texts(&[("_page", "3"), ("_sort", "-name")])),
    ] {
        let request =
            RuleRequest { url: Some("/rows".into()), path: Some(path), query: Some(query), ..RuleRequest::default() };
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(engine.reading().answer(answers, Some(operation), request.clone()).unwrap()));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    engine(&mut criterion);
    rows(&mut criterion);
    criterion.final_summary();
}
