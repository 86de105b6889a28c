//! A request of the usual kind, understood without the routes.

use std::sync::Arc;

use httparse::{EMPTY_HEADER, Header, Status};
use serde::Deserialize;
use serde_json::Value;

use crate::engine::Listing;
use crate::http::App;
use crate::http::body::is_json;
use crate::http::orders::integer;
use crate::world::{RequestHead, World};
use crate::worlds::Worlds;

/// The most headers of a usual request; browsers send about fifteen.
const MAX_HEADERS: usize = 32;

/// A request that is understood.
pub(super) struct Call<'i> {
    pub(super) method: &'i str,
    pub(super) target: &'i str,
    pub(super) body: &'i [u8],
    /// How many bytes of the input it is.
    pub(super) length: usize,
    pub(super) world: World,
    pub(super) asked: Asked<'i>,
    /// For the journal, if there is one.
    pub(super) head: Option<RequestHead>,
}

/// What a request is for.
pub(super) enum Asked<'i> {
    /// A category's products, as they are now.
    Products(Arc<Listing>),
    /// A total is to be moved.
    Order { id: &'i str, amount: i64 },
}

/// What is at the start of the input.
pub(super) enum Read<'i> {
    Call(Call<'i>),
    /// A request of which more has to come.
    Incomplete,
    /// A request for the routes.
    Unusual,
}

impl<'i> Read<'i> {
    pub(super) fn new(input: &'i [u8], app: &App) -> Self {
        let mut headers = [EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let head_length = match request.parse(input) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Self::Incomplete,
            Err(_) => return Self::Unusual,
        };
        let framing = Framing::of(request.headers).filter(|framing| app.hosts.take(framing.host));
        let framing = framing.filter(|framing| framing.body_length <= app.limits.body);
        let Some(framing) = framing else { return Self::Unusual };
        let Some(length) = head_length.checked_add(framing.body_length) else { return Self::Unusual };
        let Some(body) = input.get(head_length..length) else { return Self::Incomplete };
        Call::new(&request, &framing, body, length, &app.worlds).map_or(Self::Unusual, Self::Call)
    }
}

impl<'i> Call<'i> {
    /// `None` if the request is unusual in any way.
    fn new(
        request: &httparse::Request<'_, 'i>,
        framing: &Framing<'_>,
        body: &'i [u8],
        length: usize,
        worlds: &Worlds,
    ) -> Option<Self> {
        let (Some(method), Some(target), Some(1)) = (request.method, request.path, request.version) else {
            return None;
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query).filter(|query| is_query(query))?.into()),
            None => (target, None),
        };
        let (world, path) = world_of(path, worlds).filter(|(world, _)| !world.has_request_faults())?;
        let asked = match method {
            "GET" if body.is_empty() => Asked::products(path, &world)?,
            "POST" if framing.is_json => Asked::order(path, body)?,
            _ => return None,
        };
        let pairs = request.headers.iter().map(|header| (header.name, header.value));
        let head = world.has_journal().then(|| RequestHead::new(method, path, query, pairs));
        Some(Self { method, target, body, length, world, asked, head })
    }
}

/// What the headers say about the body, and whom the request is for.
struct Framing<'h> {
    body_length: usize,
    is_json: bool,
    host: Option<&'h [u8]>,
}

impl<'h> Framing<'h> {
    /// `None` if there is a header that changes what the request means.
    fn of(headers: &[Header<'h>]) -> Option<Self> {
        let mut framing = Self { body_length: 0, is_json: false, host: None };
        let (mut has_length, mut has_type) = (false, false);
        for Header { name, value } in headers {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            if is("content-length") && !has_length {
                has_length = true;
                let digits = value.iter().all(u8::is_ascii_digit);
                framing.body_length = std::str::from_utf8(value).ok().filter(|_| digits)?.parse().ok()?;
            } else if is("content-type") && !has_type {
                has_type = true;
                framing.is_json = is_json(std::str::from_utf8(value).ok().filter(|value| value.is_ascii())?);
            } else if is("host") && framing.host.is_none() {
                framing.host = Some(value);
            } else if is("connection") {
                if !value.eq_ignore_ascii_case(b"keep-alive") {
                    return None;
                }
            } else if [
                "host",
                "content-length",
                "content-type",
                "transfer-encoding",
                "expect",
                "upgrade",
                "x-mockd-world",
            ]
            .iter()
            .any(|one| is(one))
            {
                return None;
            }
        }
        Some(framing)
    }
}

impl<'i> Asked<'i> {
    fn products(path: &str, world: &World) -> Option<Self> {
        let category = segment(path.strip_prefix('/')?)?;
        world.view().catalogue.share(category).map(Asked::Products)
    }

    fn order(path: &'i str, body: &[u8]) -> Option<Self> {
        let id = segment(path.strip_prefix("/orders/")?)?;
        // An array would do for a struct as well.
        let Order { amount } =
            serde_json::from_slice(body).ok().filter(|_| body.trim_ascii_start().starts_with(b"{"))?;
        integer(&amount).map(|amount| Self::Order { id, amount })
    }
}

/// The body of an order, without the map that the routes make of it. What has more in it is for them: values that are
/// skipped are not checked to be JSON in every detail.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    amount: Value,
}

/// The world that a path names, and the path below it.
fn world_of<'i>(path: &'i str, worlds: &Worlds) -> Option<(World, &'i str)> {
    match path.strip_prefix("/@") {
        None => Some((worlds.default_world(), path)),
        Some(rest) => {
            let (name, _) = rest.split_once('/')?;
            Some((worlds.get(name).ok()?, &rest[name.len()..]))
        }
    }
}

/// Whether a query is as RFC 3986, 3.4, has it.
fn is_query(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte))
}

/// A segment of a path in which every character stands for itself (RFC 3986, 2.3).
fn segment(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    Some(text).filter(|text| !text.is_empty() && text.bytes().all(is_plain))
}
