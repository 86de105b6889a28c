//! What is served at `/` and at every path that the API does not take.

use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader};
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use poem::endpoint::{BoxEndpoint, EmbeddedFilesEndpoint, StaticFilesEndpoint};
use poem::error::NotFoundError;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use poem::web::headers::{ETag, HeaderMapExt, IfNoneMatch};
use poem::{Body, Endpoint, EndpointExt, Request, Response};
use rust_embed::RustEmbed;
use tokio::task::spawn_blocking;

/// What is served of a directory.
const INDEX: &str = "index.html";

/// The browser app in `static/`, inside the binary.
#[derive(RustEmbed)]
#[folder = "static"]
struct BrowserApp;

/// Which site is served beside the API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Site {
    /// mockd's own browser app.
    #[default]
    BuiltIn,
    /// The files of a directory, as they are at the time of each request.
    Directory(PathBuf),
}

impl Site {
    /// The files of mockd's own browser app, if that is the site.
    pub(super) fn built_in_files(&self) -> Vec<Cow<'static, str>> {
        if *self == Self::BuiltIn { BrowserApp::iter().collect() } else { Vec::new() }
    }

    pub(super) fn endpoint(&self) -> SiteEndpoint {
        match self {
            Self::BuiltIn => {
                let files = EmbeddedFilesEndpoint::<BrowserApp>::new();
                SiteEndpoint(files.map(async |response| name_charset(response)).boxed())
            }
            Self::Directory(path) => {
                let files =
                    StaticFilesEndpoint::new(path).index_file(INDEX).redirect_to_slash_directory().prefer_utf8(false);
                SiteEndpoint(Contained { files, directory: path.clone() }.boxed())
            }
        }
    }
}

/// Answers for a site.
pub(super) struct SiteEndpoint(BoxEndpoint<'static, Response>);

impl SiteEndpoint {
    /// The answer to a request whose URI has no world's prefix, and which the client asked with that method.
    ///
    /// # Errors
    /// Those of poem.
    pub(super) async fn answer(&self, mut request: Request, asked: &Method) -> poem::Result<Response> {
        if request.uri().path().contains("%2F") {
            // No name of a file has a slash in it.
            return Err(NotFoundError.into());
        }
        let headers = request.headers_mut();
        if asked == Method::HEAD {
            // A part is asked for by GET alone (RFC 9110, 14.2).
            headers.remove(header::RANGE);
        }
        let known: Option<IfNoneMatch> = headers.typed_get();
        if headers.remove(header::IF_NONE_MATCH).is_some() {
            // RFC 9110, 13.1.3: it counts less.
            headers.remove(header::IF_MODIFIED_SINCE);
        }
        let mut response = self.0.call(request).await?;
        quote_etag(response.headers_mut());
        let is_known = |known: &IfNoneMatch, etag: &ETag| !known.precondition_passes(etag);
        match (&known, &response.headers().typed_get::<ETag>()) {
            (Some(known), Some(etag)) if response.status().is_success() && is_known(known, etag) => {
                Ok(not_modified(response))
            }
            _ => Ok(response),
        }
    }
}

/// Writes an entity tag as RFC 9110, 8.8.3, has it: poem leaves out the quotes for files inside the binary.
fn quote_etag(headers: &mut HeaderMap) {
    let bare = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).filter(|etag| !etag.ends_with('"'));
    if let Some(quoted) = bare.and_then(|bare| HeaderValue::try_from(format!("\"{bare}\"")).ok()) {
        headers.insert(header::ETAG, quoted);
    }
}

/// Names UTF-8 as the charset of text. Without it, browsers assume another one, unless the file itself names its charset.
fn name_charset(mut response: Response) -> Response {
    if let Some(kind) = text_kind(&response)
        && let Ok(named) = HeaderValue::try_from(format!("{kind}; charset=utf-8"))
    {
        response.headers_mut().insert(header::CONTENT_TYPE, named);
    }
    response
}

/// The content type of an answer if it is one of text, and names no charset.
fn text_kind(response: &Response) -> Option<&str> {
    let kind = response.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let is_text = kind.starts_with("text/") || ["javascript", "json", "xml"].iter().any(|end| kind.ends_with(end));
    (is_text && !kind.contains(';')).then_some(kind)
}

/// Whether a file can be read and is UTF-8 as a whole.
async fn is_utf8(path: PathBuf) -> bool {
    // A line end is never part of another character.
    let check = || File::open(path).is_ok_and(|file| BufReader::new(file).lines().all(|line| line.is_ok()));
    // It fails only at the end of the runtime.
    spawn_blocking(check).await.unwrap_or(false)
}

/// The answer to a client that has a file already (RFC 9110, 15.4.5).
fn not_modified(mut response: Response) -> Response {
    response.set_status(StatusCode::NOT_MODIFIED);
    for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_RANGE, header::ACCEPT_RANGES] {
        response.headers_mut().remove(name);
    }
    response.set_body(Body::empty());
    response
}

/// The files of a directory, and of nothing outside, whether by the path or through a link.
struct Contained {
    files: StaticFilesEndpoint,
    directory: PathBuf,
}

impl Endpoint for Contained {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        // Sent to such a path with a slash behind, a browser would take its first part for a host.
        if request.original_uri().path().starts_with("//") {
            return Err(NotFoundError.into());
        }
        let path = percent_decode_str(request.uri().path().trim_matches('/')).decode_utf8().map(Cow::into_owned);
        // One that is no text is refused further on.
        let Ok(path) = path else { return self.files.call(request).await };
        let (path, found) = self.find(Path::new(&path)).ok_or(NotFoundError)?;
        mend_range(request.headers_mut(), found.len());
        let response = self.files.call(request).await?;
        // A charset in the header takes precedence over the one that the file names (HTML, 13.2.3.2).
        let is_named = text_kind(&response).is_some() && is_utf8(path).await;
        Ok(if is_named { name_charset(response) } else { response })
    }
}

impl Contained {
    /// What is there, if it is plainly below the directory.
    fn find(&self, path: &Path) -> Option<(PathBuf, Metadata)> {
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        is_plain.then(|| self.contained(&self.directory.join(path)))?
    }

    /// A directory in this one, or a file: what else there may be (a pipe, a device) need not have an end. Of a directory,
    /// its index is served.
    fn contained(&self, path: &Path) -> Option<(PathBuf, Metadata)> {
        let (path, found) = self.inside(path)?;
        let index = path.join(INDEX);
        if found.is_dir() && index.exists() {
            // Not a directory again: a link may lead back to where it stands.
            return self.inside(&index).filter(|(_, found)| found.is_file());
        }
        (found.is_dir() || found.is_file()).then_some((path, found))
    }

    /// Where a path leads once all links are followed, if that is in the directory, and what is there.
    fn inside(&self, path: &Path) -> Option<(PathBuf, Metadata)> {
        let path = path
            .canonicalize()
            .ok()
            .filter(|path| self.directory.canonicalize().is_ok_and(|own| path.starts_with(own)))?;
        let found = path.metadata().ok()?;
        Some((path, found))
    }
}

/// Leaves a range (RFC 9110, 14) of a file of that length only if it is one that is answered as it should be, and cuts it
/// at the file's end. A range may always be ignored (14.2); poem refuses one that ends behind the file, answers one that
/// begins there with nothing, and knows no `if-range`.
fn mend_range(headers: &mut HeaderMap, length: u64) {
    let Some(range) = headers.remove(header::RANGE) else { return };
    let is_conditional = headers.contains_key(header::IF_RANGE);
    if let Some((first, last)) = range.to_str().ok().and_then(|range| within(range, length)).filter(|_| !is_conditional)
        && let Ok(range) = HeaderValue::from_str(&format!("bytes={first}-{last}"))
    {
        headers.insert(header::RANGE, range);
    }
}

/// The first and the last byte of the one range that is asked for, if there is such a part.
fn within(range: &str, length: u64) -> Option<(u64, u64)> {
    let end = length.checked_sub(1)?;
    let (first, last) = match range.strip_prefix("bytes=")?.split_once('-')? {
        ("", count) => (length.saturating_sub(count.parse().ok()?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, end.min(last.parse().ok()?)),
    };
    (first <= last).then_some((first, last))
}
