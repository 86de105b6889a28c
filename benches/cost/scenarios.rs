//! Scenario files that are made for a measurement.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A category `electronics` with so many products `A1`, `A2` and so on, all with the total 0, and a category `few` with one.
pub(crate) fn products(directory: &Path, count: usize) -> PathBuf {
    let mut text = String::from("categories:\n  few: { prefix: B, products: [{ id: B1, name: Chewy Toffee }] }\n");
    text.push_str("  electronics:\n    prefix: A\n    products:\n");
    for number in 1..=count {
        let product = format!("name: Vacuum Cleaner {number}, rrp: \"99.99\", info: One of many., total: 0");
        writeln!(text, "      - {{ id: A{number}, {product} }}").expect("text");
    }
    write(directory, &format!("products-{count}.yaml"), &text)
}

/// One event each millisecond, for ever.
pub(crate) fn thousand_a_second(directory: &Path) -> PathBuf {
    let text = "categories: { electronics: { prefix: A, products: [{ id: A1, name: Vacuum Cleaner }] } }\n\
                orders: { scripts: [{ repeat: forever, steps: [{ after: 1ms, product: A1, amount: 1 }] }] }\n";
    write(directory, "script.yaml", text)
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).expect("a scratch directory");
    path
}
