//! What is served at `/` and at every path that the API does not take.

use std::borrow::Cow;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use poem::endpoint::{BoxEndpoint, EmbeddedFilesEndpoint, StaticFilesEndpoint};
use poem::error::NotFoundError;
use poem::http::Method;
use poem::{Endpoint, EndpointExt, Request, Response};
use rust_embed::RustEmbed;

use super::files::{AskedPart, KnownVersions, inside, name_charset, name_charset_of};

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
        let known = KnownVersions::take(request.headers_mut(), asked);
        Ok(known.answer(self.0.call(request).await?))
    }
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
        AskedPart::mend(request.headers_mut(), found.len());
        let response = self.files.call(request).await?;
        Ok(name_charset_of(path, response).await)
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
        let (path, found) = inside(&self.directory, path)?;
        let index = path.join(INDEX);
        if found.is_dir() && index.exists() {
            // Not a directory again: a link may lead back to where it stands.
            return inside(&self.directory, &index).filter(|(_, found)| found.is_file());
        }
        (found.is_dir() || found.is_file()).then_some((path, found))
    }
}
