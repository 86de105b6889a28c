//! What is served at `/` and at every path that the API does not take.

use std::path::PathBuf;

use poem::endpoint::{BoxEndpoint, EmbeddedFilesEndpoint, StaticFilesEndpoint};
use poem::{EndpointExt, Response};
use rust_embed::RustEmbed;

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
            Self::Directory(path) => StaticFilesEndpoint::new(path)
                .index_file("index.html")
                .redirect_to_slash_directory()
                .prefer_utf8(true)
                .map_to_response()
                .boxed(),
        }
    }
}
