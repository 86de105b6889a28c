//! Files as answers: those of a scenario's directory, and no others.

use std::path::{Component, Path, PathBuf};

use poem::http::{Method, StatusCode};
use poem::web::StaticFileRequest;
use poem::{FromRequest, IntoResponse, Request, Response};

use crate::http::error::ApiError;
use crate::http::files::{AskedPart, KnownVersions, inside, name_charset_of};

/// A file that may be sent.
#[derive(Debug)]
pub(super) struct FoundFile {
    path: PathBuf,
    length: u64,
}

/// The file at a path that is below one of the directories. Each is with what the scenario writes before paths in it.
///
/// # Errors
/// 404 for a path that leads out of them, by itself or through a link, and for what is no file.
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
    // An empty path is the directory that mockd was started in.
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let path = directory.join(own);
    match inside(directory, &path) {
        // By the name that the scenario gives it, which may be that of a link.
        Some((_, found)) if found.is_file() => Ok(FoundFile { path, length: found.len() }),
        None if path.exists() => Err(ApiError::FileOutside(written())),
        _ => Err(ApiError::FileNotFound(written())),
    }
}

/// The answer with a file: all of it, the part that is asked for, or that the client has it already. These are for an answer
/// with status 200 to GET and HEAD (RFC 9110, 13.2.1).
///
/// # Errors
/// 416 for a part that it does not have, 412 for a condition that it does not meet.
pub(super) async fn answer(
    file: FoundFile,
    asked: &Method,
    mut request: Request,
    status: StatusCode,
) -> Result<Response, ApiError> {
    if status != StatusCode::OK || !asked.is_safe() {
        drop(std::mem::take(request.headers_mut()));
    }
    let known = KnownVersions::take(request.headers_mut(), asked);
    if AskedPart::mend(request.headers_mut(), file.length) == AskedPart::Nothing {
        return Err(ApiError::NoSuchRange { length: file.length });
    }
    let files = StaticFileRequest::from_request_without_body(&request).await;
    let response = files.and_then(|files| Ok(files.create_response(&file.path, false, false)?.into_response()));
    let response = response.map_err(|error| ApiError::Other(error.status(), error.to_string()))?;
    Ok(known.answer(name_charset_of(file.path, response).await))
}
