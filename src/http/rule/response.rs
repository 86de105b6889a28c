//! Turns the engine's answers into responses.

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{Request, Response};

use super::{RuleCall, file};
use crate::engine::{Answered, AnsweredContent};
use crate::http::body::ApiResponse;
use crate::http::cors::ScenarioHeaders;
use crate::http::error::ApiError;
use crate::scenario::Content;

impl RuleCall<'_> {
    /// Builds the response for an answer.
    ///
    /// # Errors
    /// 404 for a missing file, 412 or 416 for a condition or range that the file does not satisfy, 500 for an answer
    /// that HTTP does not allow.
    pub(super) async fn response(&self, answered: Answered, request: Request) -> Result<ApiResponse, ApiError> {
        let AnsweredContent::File(path) = &answered.content else { return self.without_file(answered) };
        let status = status(&answered)?;
        let directories = self.answers.list.iter().filter_map(|answer| match &answer.content {
            Content::File { directory, lead, .. } => Some((&**directory, &**lead)),
            _ => None,
        });
        let found = file::find(path, directories)?;
        let mut response = file::answer(found, self.target.method, request, status).await?;
        // A 206 or 304 keeps its status.
        if response.status() == StatusCode::OK {
            response.set_status(status);
        }
        add_headers(&mut response, answered.headers)?;
        Ok(response.into())
    }

    /// Builds the response for an answer that is not a file.
    ///
    /// # Errors
    /// 500 for an answer that HTTP does not allow.
    pub(super) fn without_file(&self, mut answered: Answered) -> Result<ApiResponse, ApiError> {
        for (name, value) in &mut answered.headers {
            *value = self.below_prefix(name, std::mem::take(value));
        }
        build_response(answered)
    }

    /// Adds the world's prefix to paths of the scenario in a header if the request's path has the prefix, so that a
    /// client that follows them stays in its world.
    fn below_prefix(&self, name: &str, value: String) -> String {
        let prefix = self.target.prefix();
        match name {
            _ if prefix.is_empty() => value,
            "location" if is_path(&value) => format!("{prefix}{value}"),
            "link" if self.crud.is_some() => value.replace("</", &format!("<{prefix}/")),
            _ => value,
        }
    }
}

/// Whether a reference is a path of the scenario, which names neither another server (RFC 3986, 4.2) nor a world.
fn is_path(reference: &str) -> bool {
    reference.starts_with('/') && !reference.starts_with("//") && !reference.starts_with("/@")
}

/// Builds the response for an answer that is not a file.
///
/// # Errors
/// 500 for an answer that HTTP does not allow.
pub(in crate::http) fn build_response(answered: Answered) -> Result<ApiResponse, ApiError> {
    let status = status(&answered)?;
    let response: ApiResponse = match answered.content {
        AnsweredContent::Json(value) => ApiResponse::json(value.to_string()),
        AnsweredContent::Encoded(json) => ApiResponse::json(json),
        AnsweredContent::Text(text) => ApiResponse::text(text.into()),
        AnsweredContent::Empty | AnsweredContent::File(_) | AnsweredContent::Stream => Response::default().into(),
    };
    let mut response = response.with_status(status);
    add_headers(&mut response.response, answered.headers)?;
    Ok(response)
}

/// Sets the headers of an answer, replacing headers of the same name in the response.
fn add_headers(response: &mut Response, headers: Vec<(String, String)>) -> Result<(), ApiError> {
    let mut own: Vec<HeaderName> = Vec::new();
    for (name, value) in headers {
        let bad = || ApiError::BadAnswer(format!("the header {name}"));
        let name = HeaderName::try_from(&name).map_err(|_| bad())?;
        let value = HeaderValue::try_from(value).map_err(|_| bad())?;
        // Framing is up to the server (RFC 9112, 6). Faults can change it.
        if name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING {
            continue;
        }
        if own.contains(&name) {
            response.headers_mut().append(name, value);
        } else {
            response.headers_mut().insert(name.clone(), value);
            own.push(name);
        }
    }
    if !own.is_empty() {
        response.extensions_mut().insert(ScenarioHeaders(own));
    }
    Ok(())
}

fn status(answered: &Answered) -> Result<StatusCode, ApiError> {
    let status = answered.status;
    StatusCode::from_u16(status).map_err(|_| ApiError::BadAnswer(format!("the status {status}")))
}
