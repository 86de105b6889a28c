#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::*;

const TEXT: &str = "name: shop # of many lists
categories:
  few: { prefix: B, products: [{ id: B1, name: Chewy Toffee }, { id: B2 }] }
  electronics:
    prefix: A
    products:
      - { id: A1, name: Vacuum, rrp: \"99.99\" }
      # of an earlier time
      - id: A2
        name: 'Leaf ''Blower'''
        tags:
          - garden
          - [loud, heavy]
          - - deep
            - deeper

      - { id: A3, name: Grün,
          info: over two lines }
      - id: A4
        info: |
          - { id: A9 }
            more
      -
        id: A5
      - plain words
        on two lines
      -
      - { id: A6 }
orders:
  scripts:
  - steps:
    - { after: 1s, product: A1, amount: 1 }
    - { after: 1s, product: A2, amount: -1 }
    - { after: 1s, product: A3, amount: 2 }
  - steps: [{ after: 1s, product: A1 }]
";

const SNIPPETS: [&str; 32] = [
    "x",
    " ",
    "  ",
    "\n",
    "-",
    "- ",
    "'",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "#",
    " # c\n",
    "|",
    ">",
    "&a ",
    "*a",
    "!!str ",
    "---\n",
    "...\n",
    "? ",
    ",",
    "é",
    "\t",
    "      - { id: A7 }\n",
    "          - more\n",
    "- ~\n",
    "\r\n",
    "    - 1\n    - 2\n",
    "key: value\n",
];

/// All that there is to know of a node.
fn shape(tree: &Tree, id: NodeId) -> String {
    let inner = |ids: &[NodeId]| ids.iter().map(|id| shape(tree, *id)).collect::<Vec<_>>().join(" ");
    let Span { start, end } = tree.span(id);
    match tree.view(id) {
        View::Scalar { text, plain } => format!("{start}-{end}:{text:?}{plain}"),
        View::List(items) => format!("{start}-{end}:[{}]", inner(items)),
        View::Mapping(entries) => format!("{start}-{end}:{{{}}}", inner(entries)),
    }
}

fn source(text: &str) -> Source {
    Source::new("shop.yaml", text)
}

fn read(text: &str) -> Option<(Tree, NodeId)> {
    let mut tree = Tree::default();
    let root = tree.read(source(text)).ok()?;
    Some((tree, root))
}

fn patched(old: &str, new: &str) -> bool {
    let (mut tree, root) = read(old).unwrap();
    tree.patch(root, &source(new))
}

/// Takes some of the text out, and puts something else there.
fn edit(text: &str, chance: &mut SmallRng) -> String {
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect::<Vec<_>>();
    if chance.random_bool(0.5) {
        places.retain(|at| *at == 0 || text[..*at].ends_with('\n'));
    }
    let first = chance.random_range(0..places.len());
    let last = (first + [0, 0, 1, 2, 9][chance.random_range(0..5)]).min(places.len() - 1);
    let (start, end) = (places[first], places[last]);
    let new: String = (0..chance.random_range(0..3)).filter_map(|_| SNIPPETS.choose(chance).copied()).collect();
    format!("{}{new}{}", &text[..start], &text[end..])
}

#[test]
fn a_patched_tree_is_that_of_a_reading_of_the_whole() {
    let mut chance = SmallRng::seed_from_u64(1);
    let (mut count, mut wrong) = (0, 0);
    for _ in 0..300 {
        let mut text = TEXT.to_owned();
        let (mut tree, root) = read(&text).unwrap();
        for _ in 0..30 {
            let new = edit(&text, &mut chance);
            let before = shape(&tree, root);
            let whole = read(&new);
            wrong += usize::from(whole.is_none());
            if tree.patch(root, &source(&new)) {
                let (whole, whole_root) = whole.unwrap_or_else(|| panic!("no YAML, yet patched\n{new}"));
                assert_eq!(shape(&tree, root), shape(&whole, whole_root), "from\n{text}\nto\n{new}");
                count += 1;
                text = new;
            } else {
                assert_eq!(shape(&tree, root), before, "left as it was\n{text}");
            }
        }
    }
    assert!(count > 500 && wrong > 500, "patched {count}, of no YAML {wrong}");
}

#[test]
fn items_that_change_come_or_go_are_read_alone() {
    let change = |old: &str, new: &str| patched(TEXT, &TEXT.replacen(old, new, 1));
    assert!(change("Vacuum", "Vacuum Cleaner"));
    assert!(change("      - id: A4\n", "      - { id: A7 }\n      - id: A4\n"));
    assert!(change("      - { id: A3, name: Grün,\n          info: over two lines }\n", ""));
    assert!(change("- garden", "- garden tools"));
    assert!(change("amount: -1", "amount: 5"));
}

#[test]
fn what_reaches_beyond_one_list_is_left_to_a_reading_of_the_whole() {
    let change = |old: &str, new: &str| patched(TEXT, &TEXT.replacen(old, new, 1));
    assert!(!change("name: shop", "name: toys"));
    assert!(!change("Vacuum,", "Vacuum, tags: &a [x],"));
    assert!(!change("\"99.99\"", "\"99.99"));
    assert!(!change("      - id: A4\n", "    - id: A4\n"));
    assert!(!patched("a: &a\n  - 1\n  - 2\nb: *a\n", "a: &a\n  - 7\n  - 2\nb: *a\n"));
}

#[test]
fn after_many_patches_the_whole_is_read_again() {
    let (mut tree, root) = read(TEXT).unwrap();
    let mut patches =
        (0..1000).map(|round| tree.patch(root, &source(&TEXT.replacen("Vacuum", &format!("V{round}"), 1))));
    assert!(patches.by_ref().take(2).all(|patched| patched));
    assert!(!patches.last().unwrap());
    assert!(tree.size() < tree.read_size * 2);
}
