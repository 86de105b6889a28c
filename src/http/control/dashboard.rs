//! `/__mockd/`: the dashboard, a page that shows and controls a world through the control API, as any other client
//! does.
//!
//! The page is open to everyone, since it reveals nothing on its own. The API checks the requests that the page makes.

use poem::http::{StatusCode, header};
use poem::web::Path;
use poem::{Request, Response, handler};

use crate::http::error::ApiError;

/// Allows only the page's own files, no other scripts or styles, and no framing (Content Security Policy Level 3).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files of the page: name, media type and content.
const FILES: [(&str, &str, &str); 16] = [
    ("style.css", "text/css; charset=utf-8", include_str!("dashboard/style.css")),
    ("api.js", SCRIPT, include_str!("dashboard/api.js")),
    ("data.js", SCRIPT, include_str!("dashboard/data.js")),
    ("dom.js", SCRIPT, include_str!("dashboard/dom.js")),
    ("entry.js", SCRIPT, include_str!("dashboard/entry.js")),
    ("faults.js", SCRIPT, include_str!("dashboard/faults.js")),
    ("journal.js", SCRIPT, include_str!("dashboard/journal.js")),
    ("main.js", SCRIPT, include_str!("dashboard/main.js")),
    ("panels.js", SCRIPT, include_str!("dashboard/panels.js")),
    ("products.js", SCRIPT, include_str!("dashboard/products.js")),
    ("routes.js", SCRIPT, include_str!("dashboard/routes.js")),
    ("sparkline.js", SCRIPT, include_str!("dashboard/sparkline.js")),
    ("steps.js", SCRIPT, include_str!("dashboard/steps.js")),
    ("time.js", SCRIPT, include_str!("dashboard/time.js")),
    ("timeline.js", SCRIPT, include_str!("dashboard/timeline.js")),
    ("virtual.js", SCRIPT, include_str!("dashboard/virtual.js")),
];

/// Serves the page.
#[handler]
pub(super) fn dashboard_page(request: &Request) -> Response {
    let path = request.original_uri().path();
    if !path.ends_with('/') {
        // The page refers to its files by relative paths.
        let location = format!("{path}/");
        return Response::builder().status(StatusCode::PERMANENT_REDIRECT).header(header::LOCATION, location).finish();
    }
    answer(HTML, include_str!("dashboard/index.html"))
}

/// Serves a file of the page.
#[handler]
pub(super) fn dashboard_file(Path(name): Path<String>, request: &Request) -> poem::Result<Response> {
    let file = FILES.iter().find(|(file, ..)| *file == name);
    let missing = || ApiError::not_found(request.method(), request.original_uri());
    let (_, kind, content) = file.ok_or_else(missing)?;
    Ok(answer(kind, content))
}

fn answer(kind: &'static str, content: &'static str) -> Response {
    Response::builder()
        .content_type(kind)
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(content)
}
