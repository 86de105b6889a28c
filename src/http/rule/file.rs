//! Answers with files, which are limited to the scenario's directories.

use std::path::{Component, Path, PathBuf};

use poem::http::{Method, StatusCode};
use poem::web::StaticFileRequest;
use poem::{FromRequest, IntoResponse, Request, Response};

use crate::http::error::ApiError;
use crate::http::files::{KnownVersions, RequestedRange, name_charset_of, resolve_within};

/// A file that was found and may be sent.
#[derive(Debug)]
pub(super) struct FoundFile {
    path: PathBuf,
    length: u64,
}

/// Finds the file at a path below one of the directories. Each directory comes with the text that the scenario writes
/// before paths in it.
///
/// # Errors
/// 404 if the path leads out of the directories, directly or through a link, or does not lead to a file.
pub(super) fn find<'d>(
    path: &Path,
    directories: impl IntoIterator<Item = (&'d Path, &'d str)>,
) -> Result<FoundFile, ApiError> {
    let is_normal = |part: Component<'_>| matches!(part, Component::Normal(_));
    let mut below = directories
        .into_iter()
        .filter_map(|(directory, lead)| Some((directory, lead, path.strip_prefix(directory).ok()?)));
    let Some((directory, lead, own)) = below.find(|(.., own)| own.components().all(is_normal)) else {
        return Err(ApiError::FileOutside(path.file_name().unwrap_or_default().to_string_lossy().into()));
    };
    let written = || format!("{lead}{}", own.to_string_lossy());
    // An empty path stands for the current directory.
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let path = directory.join(own);
    match resolve_within(directory, &path) {
        // Keep the scenario's path, whose name determines the content type, even if it is a link.
        Some((_, found)) if found.is_file() => Ok(FoundFile { path, length: found.len() }),
        None if path.exists() => Err(ApiError::FileOutside(written())),
        _ => Err(ApiError::FileNotFound(written())),
    }
}

/// Answers with a file: the whole file, the requested range, or a 304. Ranges and conditions apply only if the answer's
/// status is 200 and the method is GET or HEAD (RFC 9110, 13.2.1).
///
/// # Errors
/// 416 for an unsatisfiable range, 412 for a failed precondition.
pub(super) async fn answer(
    file: FoundFile,
    method: &Method,
    mut request: Request,
    status: StatusCode,
) -> Result<Response, ApiError> {
    if status != StatusCode::OK || !method.is_safe() {
        drop(std::mem::take(request.headers_mut()));
    }
    let known = KnownVersions::take(request.headers_mut(), method);
    let range = RequestedRange::normalize(request.headers_mut(), file.length);
    if range == RequestedRange::Unsatisfiable {
        return Err(ApiError::NoSuchRange { length: file.length });
    }
    let files = StaticFileRequest::from_request_without_body(&request).await;
    let response = files.and_then(|files| Ok(files.create_response(&file.path, false, false)?.into_response()));
    let response = response.map_err(|error| ApiError::Other(error.status(), error.to_string()))?;
    Ok(known.answer(range.mark(name_charset_of(file.path, response).await)))
}
