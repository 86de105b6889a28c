//! What is served at `/` and at every path that the API does not take.

mod range;

use std::borrow::Cow;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use poem::endpoint::{BoxEndpoint, EmbeddedFilesEndpoint, StaticFilesEndpoint};
use poem::error::NotFoundError;
use poem::http::header;
use poem::{Endpoint, EndpointExt, Request, Response};
use rust_embed::RustEmbed;

use super::envelope::AskedMethod;

/// What is served of a directory.
const INDEX: &str = "index.html";

/// The browser app in `static/`, inside the binary.
#[derive(RustEmbed)]
#[folder = "static"]
struct App;

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
    pub(super) fn endpoint(&self) -> BoxEndpoint<'static, Response> {
        match self {
            Self::BuiltIn => EmbeddedFilesEndpoint::<App>::new().map_to_response().boxed(),
            Self::Directory(path) => {
                let files =
                    StaticFilesEndpoint::new(path).index_file(INDEX).redirect_to_slash_directory().prefer_utf8(true);
                Contained { files, directory: path.clone() }.boxed()
            }
        }
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
        if let Ok(path) = path {
            let found = self.find(Path::new(&path)).ok_or(NotFoundError)?;
            range::mend(request.headers_mut(), found.len());
        }
        if request.data::<AskedMethod>().is_some() {
            // A part is asked for by GET alone (RFC 9110, 14.2).
            request.headers_mut().remove(header::RANGE);
        }
        self.files.call(request).await
    }
}

impl Contained {
    /// What is there, if it is plainly below the directory.
    fn find(&self, path: &Path) -> Option<Metadata> {
        let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        is_plain.then(|| self.contained(&self.directory.join(path)))?
    }

    /// A directory in this one, or a file: what else there may be (a pipe, a device) need not have an end. Of a directory,
    /// its index is served.
    fn contained(&self, path: &Path) -> Option<Metadata> {
        let (path, found) = self.inside(path)?;
        let index = path.join(INDEX);
        if found.is_dir() && index.exists() {
            // Not a directory again: a link may lead back to where it stands.
            return self.inside(&index).map(|(_, found)| found).filter(Metadata::is_file);
        }
        Some(found).filter(|found| found.is_dir() || found.is_file())
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
