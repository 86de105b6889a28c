//! What is served at `/` and at every path that the API does not take.

use std::io;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use poem::endpoint::{BoxEndpoint, EmbeddedFilesEndpoint, StaticFilesEndpoint};
use poem::error::NotFoundError;
use poem::{Endpoint, EndpointExt, Request, Response};
use rust_embed::RustEmbed;

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

    async fn call(&self, request: Request) -> poem::Result<Response> {
        // Sent to such a path with a slash behind, a browser would take its first part for a host.
        if request.original_uri().path().starts_with("//") || !self.holds(request.uri().path()) {
            return Err(NotFoundError.into());
        }
        self.files.call(request).await
    }
}

impl Contained {
    fn holds(&self, path: &str) -> bool {
        // One that is no text is refused further on.
        let Ok(path) = percent_decode_str(path.trim_matches('/')).decode_utf8() else { return true };
        let is_plain = Path::new(&*path).components().all(|part| matches!(part, Component::Normal(_)));
        is_plain && self.contains(&self.directory.join(&*path)).unwrap_or(false)
    }

    /// Whether it is a directory in this one, or a file: what else there may be (a pipe, a device) need not have an end.
    fn contains(&self, path: &Path) -> io::Result<bool> {
        let found = path.canonicalize()?;
        let index = found.join(INDEX);
        let is_file_or_directory = found.is_file() || found.is_dir() && (!index.exists() || self.contains(&index)?);
        Ok(is_file_or_directory && found.starts_with(self.directory.canonicalize()?))
    }
}
