//! The site, which is served at `/` and at every path that the API does not use.

use std::borrow::Cow;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use poem::endpoint::{BoxEndpoint, EmbeddedFilesEndpoint, StaticFilesEndpoint};
use poem::error::NotFoundError;
use poem::http::Method;
use poem::{Endpoint, EndpointExt, Request, Response};
use rust_embed::RustEmbed;

use super::files::{KnownVersions, RequestedRange, name_charset, name_charset_of, resolve_within};

/// The file that is served for a directory.
const INDEX: &str = "index.html";

/// The browser app in `static/`, embedded in the binary.
#[derive(RustEmbed)]
#[folder = "static"]
struct BrowserApp;

/// The site that is served alongside the API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Site {
    /// mockd's own browser app.
    #[default]
    BuiltIn,
    /// The files of a directory, which are read at each request.
    Directory(PathBuf),
}

impl Site {
    /// Returns the file names of mockd's own browser app, or none if the site is a directory.
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

/// The endpoint that serves a site.
pub(super) struct SiteEndpoint(BoxEndpoint<'static, Response>);

impl SiteEndpoint {
    /// Answers a request whose URI has no world prefix. `method` is the client's method, which is HEAD where `request`
    /// has GET.
    ///
    /// # Errors
    /// Those of poem.
    pub(super) async fn answer(&self, mut request: Request, method: &Method) -> poem::Result<Response> {
        if request.uri().path().contains("%2F") {
            // File names never contain a slash.
            return Err(NotFoundError.into());
        }
        let known = KnownVersions::take(request.headers_mut(), method);
        Ok(known.answer(self.0.call(request).await?))
    }
}

/// The files of a directory. Neither `..` nor a link leads out of it.
struct Contained {
    files: StaticFilesEndpoint,
    directory: PathBuf,
}

impl Endpoint for Contained {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        // A redirect to such a path would make a browser treat the first segment as a host.
        if request.original_uri().path().starts_with("//") {
            return Err(NotFoundError.into());
        }
        let path = percent_decode_str(request.uri().path().trim_matches('/')).decode_utf8().map(Cow::into_owned);
        // A path that is not UTF-8 is refused by poem.
        let Ok(path) = path else { return self.files.call(request).await };
        let (path, found) = self.find(Path::new(&path)).ok_or(NotFoundError)?;
        let range = RequestedRange::normalize(request.headers_mut(), found.len());
        let response = self.files.call(request).await?;
        Ok(range.mark(name_charset_of(path, response).await))
    }
}

impl Contained {
    /// Finds a file or directory below the directory. Returns `None` if it does not exist, or if the path has
    /// components such as `..`.
    fn find(&self, path: &Path) -> Option<(PathBuf, Metadata)> {
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        is_plain.then(|| self.contained(&self.directory.join(path)))?
    }

    /// Returns a file or directory within the directory, or the index of such a directory. Pipes and devices are
    /// excluded because reading them may never end.
    fn contained(&self, path: &Path) -> Option<(PathBuf, Metadata)> {
        let (path, found) = resolve_within(&self.directory, path)?;
        let index = path.join(INDEX);
        if found.is_dir() && index.exists() {
            // The index must be a file, because a link named like the index may lead back to the directory.
            return resolve_within(&self.directory, &index).filter(|(_, found)| found.is_file());
        }
        (found.is_dir() || found.is_file()).then_some((path, found))
    }
}
