//! Tests of list queries.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::cell::Cell;
use std::iter;

use serde_json::json;

use super::*;
use crate::scenario::{Content, Crud, Source, parse};

fn row(id: usize, own: Value) -> Arc<Row> {
    let Value::Object(own) = own else { panic!("{own} is not an object") };
    Arc::new(Row::new(id.to_string().into(), own).with_number_id(true))
}

/// Rows with the ids 1, 2, 3 …
fn rows() -> Vec<Arc<Row>> {
    [
        json!({ "name": "Anna", "age": 30, "city": { "name": "Bern" }, "tags": ["a", "b"], "price": "9.50" }),
        json!({ "name": "bob", "age": 4.5, "done": true, "tags": [] }),
        json!({ "name": "Carl", "age": "30", "done": false, "price": "10", "a.b": 1, "city": null }),
        json!({ "name": "Änne", "age": 100, "done": "true", "since": "2026-01-02" }),
    ]
    .into_iter()
    .zip(1..)
    .map(|(own, id)| row(id, own))
    .collect()
}

fn query(text: &str) -> Result<ListQuery, ListError> {
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    ListQuery::new(pairs.iter().map(|(name, value)| (&**name, &**value)), &CrudQuery::default())
}

fn ids(listing: &Listing) -> String {
    listing.rows.iter().map(|row| &**row.id()).collect::<Vec<_>>().join(" ")
}

#[test]
fn filters_list_the_matching_rows() {
    let rows = rows();
    for (text, expected) in [
        ("", "1 2 3 4"),
        ("name=Anna", "1"),
        ("name=anna", ""),
        ("id=2", "2"),
        ("id=2&id=4", "2 4"),
        ("id:in=4,1,9", "1 4"),
        ("id:gt=2", "3 4"),
        ("age=30", "1 3"),
        ("age=30.0", "1"),
        ("age:ne=30", "2 4"),
        ("age:ne=30&age:ne=4.5", "4"),
        ("age:gt=5", "1 3 4"),
        ("age:gte=30", "1 3 4"),
        ("age:gte=30&age:lt=100", "1 3"),
        ("age_lte=30", "1 2 3"),
        ("age_lt=30", "2"),
        ("age_gt=30", "4"),
        ("age_ne=30", "2 4"),
        ("age:gt=x", ""),
        ("price:gt=9", "1 3"),
        ("price:gt=9.9", "3"),
        ("since:gt=2026-01-01", "4"),
        ("since:lt=2026-01-01", ""),
        ("done=true", "2 4"),
        ("done=false", "3"),
        ("done:ne=true", "3"),
        ("city=null", "3"),
        ("city.name=Bern", "1"),
        ("city.name:startsWith=be", "1"),
        ("city.zip=1", ""),
        ("a.b=1", "3"),
        ("tags=b", "1"),
        ("tags.0=a", "1"),
        ("tags.0=b", ""),
        ("name:contains=NN", "1 4"),
        ("name_like=o", "2"),
        ("name:like=o", "2"),
        ("name:startsWith=ä", "4"),
        ("name:endsWith=L", "3"),
        ("age:contains=0", "3"),
        ("nothing=1", ""),
        ("nothing:ne=1", ""),
        ("name:what=Anna", ""),
        ("_like=Anna", ""),
        ("name=Anna&age=4.5", ""),
        ("q=BERN", "1"),
        ("q=ä", "4"),
        ("q=", "1 2 3 4"),
        ("q=30", "3"),
        ("q=a&name:contains=l", "3"),
        ("_=123&_embed=posts", "1 2 3 4"),
    ] {
        let listing = query(text).unwrap().list(rows.iter());
        assert_eq!(
            (ids(&listing), listing.total),
            (expected.to_owned(), expected.split_whitespace().count()),
            "{text}"
        );
    }
}

#[test]
fn a_list_is_in_the_order_of_its_keys() {
    let rows: Vec<Arc<Row>> = [
        json!({ "a": 2, "b": "x" }),
        json!({ "a": "10", "b": "x" }),
        json!({ "b": "y" }),
        json!({ "a": 10, "b": "y" }),
        json!({ "a": "B", "b": "x" }),
        json!({ "a": null }),
        json!({ "a": true, "b": "x" }),
        json!({ "a": 2, "c": { "d": 1 } }),
    ]
    .into_iter()
    .zip(1..)
    .map(|(own, id)| row(id, own))
    .collect();
    for (text, expected) in [
        ("_sort=a", "1 8 4 2 5 7 3 6"),
        ("_sort=-a", "7 5 2 4 1 8 3 6"),
        ("_sort=a&_order=DESC", "7 5 2 4 1 8 3 6"),
        ("_sort=b,-a", "7 5 2 1 4 3 8 6"),
        ("_sort=b,a&_order=asc,desc", "7 5 2 1 4 3 8 6"),
        ("_sort=-b", "3 4 1 2 5 7 6 8"),
        ("_sort=-id", "8 7 6 5 4 3 2 1"),
        ("_sort=c.d", "8 1 2 3 4 5 6 7"),
        ("_sort=", "1 2 3 4 5 6 7 8"),
        ("_sort=nothing", "1 2 3 4 5 6 7 8"),
        ("_sort=a&_per_page=3", "1 8 4"),
        ("_sort=a&_per_page=3&_page=2", "2 5 7"),
        ("_sort=a&_per_page=3&_page=3", "3 6"),
        ("_sort=-id&b=x&_limit=2", "7 5"),
    ] {
        assert_eq!(ids(&query(text).unwrap().list(rows.iter())), expected, "{text}");
    }
}

#[test]
fn a_page_is_a_part_of_the_matching_rows() {
    let rows: Vec<Arc<Row>> = (1..=25).map(|id| row(id, json!({ "even": id % 2 == 0 }))).collect();
    for (text, (first, count, total), (page, pages)) in [
        ("", ("1", 25, 25), (1, 1)),
        ("_page=1", ("1", 10, 25), (1, 3)),
        ("_page=3", ("21", 5, 25), (3, 3)),
        ("_page=4", ("", 0, 25), (4, 3)),
        ("_page=18446744073709551615", ("", 0, 25), (usize::MAX, 3)),
        ("_per_page=7", ("1", 7, 25), (1, 4)),
        ("_limit=7&_page=2", ("8", 7, 25), (2, 4)),
        ("_per_page=25", ("1", 25, 25), (1, 1)),
        ("even=true&_page=2&_per_page=5", ("12", 5, 12), (2, 3)),
        ("even=maybe&_page=1", ("", 0, 0), (1, 1)),
        ("_start=20", ("21", 5, 25), (1, 1)),
        ("_start=3&_end=5", ("4", 2, 25), (1, 1)),
        ("_start=5&_end=3", ("", 0, 25), (1, 1)),
        ("_end=3", ("1", 3, 25), (1, 1)),
        ("_start=3&_limit=4", ("4", 4, 25), (1, 1)),
        ("_start=30", ("", 0, 25), (1, 1)),
        ("_start=3&_page=2", ("11", 10, 25), (2, 3)),
    ] {
        let listing = query(text).unwrap().list(rows.iter());
        let found = listing.rows.first().map(|row| &**row.id()).unwrap_or_default();
        assert_eq!((found, listing.rows.len(), listing.total), (first, count, total), "{text}");
        assert_eq!((listing.page, listing.pages), (page, pages), "{text}");
    }
}

#[test]
fn an_invalid_query_is_an_error() {
    for (text, expected) in [
        ("_page=0", "_page must be a whole number from 1, not `0`"),
        ("_page=-1", "_page must be a whole number from 1, not `-1`"),
        ("_page=", "_page must be a whole number from 1, not ``"),
        ("_per_page=x", "_per_page must be a whole number from 1, not `x`"),
        ("_sort=a,a,a,a,a,a,a,a,a,a,a", "a list is sorted by at most 10 fields"),
        (&*format!("id:in={}", ",".repeat(1000)), "a list takes at most 1000 filter values"),
        ("_limit=1.5", "_limit must be a whole number from 1, not `1.5`"),
        ("_start=x", "_start must be a whole number from 0, not `x`"),
        ("_end=99999999999999999999", "_end must be a whole number from 0, not `99999999999999999999`"),
    ] {
        assert_eq!(query(text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn a_route_can_rename_parameters() {
    let rows = rows();
    let names = CrudQuery { page: "page".into(), per_page: "limit".into(), sort: "by".into() };
    let query = Map::from_iter([
        ("limit".to_owned(), json!("2")),
        ("page".to_owned(), json!("2")),
        ("by".to_owned(), json!("-id")),
        ("id:ne".to_owned(), json!(["1", "9"])),
    ]);
    let listing = ListQuery::new(query_pairs(&query), &names).unwrap().list(rows.iter());
    assert_eq!((&*ids(&listing), listing.total, listing.page, listing.pages), ("2", 3, 2, 2));
    assert_eq!(
        ListQuery::new([("limit", "no")], &names).unwrap_err().to_string(),
        "limit must be a whole number from 1, not `no`"
    );
}

#[test]
fn a_page_reports_its_size() {
    let rows: Vec<Arc<Row>> = (1..=25).map(|id| row(id, json!({}))).collect();
    for (text, expected) in
        [("", 25), ("_page=3", 10), ("_per_page=7&_page=9", 7), ("_start=20", 5), ("id=0", 0), ("id=0&_page=1", 10)]
    {
        assert_eq!(query(text).unwrap().list(rows.iter()).per_page, expected, "{text}");
    }
}

/// Parses the CRUD answer of `/todos` with additional keys.
fn crud(description: &str) -> Arc<Crud> {
    let text = format!("data: {{ todos: [] }}\nhttp: {{ /todos: {{ crud: {{ collection: todos{description} }} }} }}");
    let scenario = parse(&Source::new("test.yaml", &text)).unwrap_or_else(|problems| panic!("{problems}"));
    match &scenario.routes().answers("/todos").unwrap().list[0].content {
        Content::Crud(crud) => crud.clone(),
        other => panic!("{other:?}"),
    }
}

fn unknown(crud: &Crud, rows: &[Arc<Row>], text: &str) -> Vec<String> {
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let query = ListQuery::new(pairs.iter().map(|(name, value)| (&**name, &**value)), &crud.query).unwrap();
    let listing = query.list(rows.iter());
    query.notes(rows, &listing, crud).iter().map(ToString::to_string).collect()
}

#[test]
fn meaningless_names_are_reported_with_a_suggestion() {
    let (rows, plain) = (rows(), crud(""));
    let renamed = crud(", query: { page: page, per_page: limit }");
    let declared = crud(", fields: { name: string, address: { type: object, optional: true } }");
    let long = "x".repeat(100);
    let no = |field: &str| format!("no row of `todos` has a field `{field}`");
    let meant = |field: &str, meant: &str| format!("{}; did you mean `{meant}`?", no(field));
    let operator = |parameter: &str, name: &str, meant: &str| {
        format!("`{name}` in `{parameter}` is not a filter operator; did you mean `{meant}`?")
    };
    let unsupported = |parameter: &str| format!("`{parameter}` is not supported and has no effect");
    for (crud, rows, text, expected) in [
        (&plain, &rows[..], "name=nobody&city.zip=1&age:gt=1000", vec![no("city.zip")]),
        (&plain, &rows, "nam=Anna", vec![meant("nam", "name")]),
        (&plain, &rows, "nam:contains=A&nam=B&done_ne=1&tag=b", vec![meant("nam", "name"), meant("tag", "tags")]),
        (&plain, &rows, "page=2&limit=1", vec![meant("page", "_page"), meant("limit", "_limit")]),
        (&plain, &rows, "_sort=-nam,id,age&_page=1", vec![meant("nam", "name")]),
        (&plain, &rows, "_page=9&q=nothing&id=99&id:ne=1&_=1", vec![]),
        (&plain, &rows, "name:lke=A", vec![operator("name:lke", "lke", "like")]),
        (&plain, &rows, "city.name:startWith=A", vec![operator("city.name:startWith", "startWith", "startsWith")]),
        (&plain, &rows, "id:is=1", vec![operator("id:is", "is", "in")]),
        (&plain, &rows, "name:xyz=1", vec!["`xyz` in `name:xyz` is not a filter operator".to_owned()]),
        (&plain, &rows, "nam:lke=A", vec![no("nam:lke")]),
        (&plain, &rows, "_embed=x&_embed=y", vec![unsupported("_embed")]),
        (&plain, &[], "_expand=x&nam=1", vec![unsupported("_expand")]),
        (&plain, &rows, &format!("{long}%0a=1"), vec![no(&long[..64])]),
        (&renamed, &rows, "_page=2&page=1", vec![meant("_page", "page")]),
        (&renamed, &rows, "page=2&limit=1", vec![]),
        // The fields of future rows are unknown unless they are declared.
        (&plain, &[], "nam=Anna", vec![]),
        (&declared, &[], "nam=Anna&name=Anna&address.zip=1&id=1", vec![meant("nam", "name")]),
        (&declared, &rows, "address.zip=1&addresses=1", vec![meant("addresses", "address")]),
    ] {
        assert_eq!(unknown(crud, rows, text), expected, "{text}");
    }
}

#[test]
fn a_link_header_leads_to_the_other_pages() {
    let rows: Vec<Arc<Row>> = (1..=25).map(|id| row(id, json!({}))).collect();
    for (url, expected) in [
        ("/t", None),
        ("/t?_start=2", None),
        ("/t?_page=1", Some("</t?_page=1>; rel=\"first\", </t?_page=2>; rel=\"next\", </t?_page=3>; rel=\"last\"")),
        (
            "/t?id:ne=%20a&_page=2&x",
            Some(concat!(
                "</t?id:ne=%20a&x&_page=1>; rel=\"first\", </t?id:ne=%20a&x&_page=1>; rel=\"prev\", ",
                "</t?id:ne=%20a&x&_page=3>; rel=\"next\", </t?id:ne=%20a&x&_page=3>; rel=\"last\""
            )),
        ),
        (
            "/t?_per_page=20&%5Fpage=2",
            Some(concat!(
                "</t?_per_page=20&_page=1>; rel=\"first\", </t?_per_page=20&_page=1>; rel=\"prev\", ",
                "</t?_per_page=20&_page=2>; rel=\"last\""
            )),
        ),
        ("/t?_page=9", Some("</t?_page=1>; rel=\"first\", </t?_page=3>; rel=\"prev\", </t?_page=3>; rel=\"last\"")),
        (
            "/t?_page=18446744073709551615",
            Some("</t?_page=1>; rel=\"first\", </t?_page=3>; rel=\"prev\", </t?_page=3>; rel=\"last\""),
        ),
        ("/t?_limit=25", Some("</t?_limit=25&_page=1>; rel=\"first\", </t?_limit=25&_page=1>; rel=\"last\"")),
    ] {
        // A filter on a field that no row has would list nothing.
        let text = url.split_once('?').map_or("", |(_, query)| query).replace("&x", "");
        let listing = query(&text).unwrap().list(rows.iter());
        assert_eq!(listing.link(url, "_page").as_deref(), expected, "{url}");
    }
}

/// Counts the items that are read, except those that are skipped.
struct Counted<'r>(std::slice::Iter<'r, Arc<Row>>, &'r Cell<usize>);

impl<'r> Iterator for Counted<'r> {
    type Item = &'r Arc<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.1.set(self.1.get() + 1);
        self.0.next()
    }

    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.1.set(self.1.get() + 1);
        self.0.nth(n)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Counted<'_> {}

#[test]
fn a_page_reads_only_its_own_rows() {
    let rows: Vec<Arc<Row>> = iter::repeat_n(row(1, json!({})), 100_000).collect();
    let reads = Cell::new(0);
    let listing = query("_page=5000&_per_page=20").unwrap().list(Counted(rows.iter(), &reads));
    assert_eq!((listing.rows.len(), listing.total), (20, 100_000));
    assert!(reads.get() <= 21, "{}", reads.get());
}
