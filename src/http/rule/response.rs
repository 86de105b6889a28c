//! An answer as a response.

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{Request, Response};

use super::{RuleCall, file};
use crate::engine::{Answered, AnsweredContent};
use crate::http::body::ApiResponse;
use crate::http::cors::OwnHeaders;
use crate::http::error::ApiError;
use crate::scenario::Content;

impl RuleCall<'_> {
    /// The response that an answer says.
    ///
    /// # Errors
    /// 404 for a file that is not there, 416 for a part that it does not have, 500 for an answer that HTTP does not allow.
    pub(super) async fn response(&self, answered: Answered, request: Request) -> Result<ApiResponse, ApiError> {
        let AnsweredContent::File(path) = &answered.content else { return self.at_hand(answered) };
        let status = status(&answered)?;
        let directories = self.answers.list.iter().filter_map(|answer| match &answer.content {
            Content::File { directory, lead, .. } => Some((&**directory, &**lead)),
            _ => None,
        });
        let found = file::find(path, directories)?;
        let mut response = file::answer(found, self.target.method, request, status).await?;
        // It says by itself that only a part of it was sent, or that the client has it already.
        if response.status() == StatusCode::OK {
            response.set_status(status);
        }
        add_headers(&mut response, answered.headers)?;
        Ok(response.into())
    }

    /// The same for an answer that is no file.
    pub(super) fn at_hand(&self, mut answered: Answered) -> Result<ApiResponse, ApiError> {
        for (name, value) in &mut answered.headers {
            *value = self.below_prefix(name, std::mem::take(value));
        }
        made(answered)
    }

    /// Headers name paths of the scenario, which are below the world's prefix if the request's is: a client that follows them stays
    /// in its world.
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

/// Whether a reference is a path of the scenario: it names neither another server (RFC 3986, 4.2) nor a world.
fn is_path(reference: &str) -> bool {
    reference.starts_with('/') && !reference.starts_with("//") && !reference.starts_with("/@")
}

/// The response that an answer says which is no file.
///
/// # Errors
/// 500 for an answer that HTTP does not allow.
pub(in crate::http) fn made(answered: Answered) -> Result<ApiResponse, ApiError> {
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

/// Adds the headers of an answer, in place of what the response has of their names.
fn add_headers(response: &mut Response, headers: Vec<(String, String)>) -> Result<(), ApiError> {
    let mut own: Vec<HeaderName> = Vec::new();
    for (name, value) in headers {
        let bad = || ApiError::BadAnswer(format!("the header {name}"));
        let name = HeaderName::try_from(&name).map_err(|_| bad())?;
        let value = HeaderValue::try_from(value).map_err(|_| bad())?;
        // The server frames the body (RFC 9112, 6); a fault may change how.
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
        response.extensions_mut().insert(OwnHeaders(own));
    }
    Ok(())
}

fn status(answered: &Answered) -> Result<StatusCode, ApiError> {
    let status = answered.status;
    StatusCode::from_u16(status).map_err(|_| ApiError::BadAnswer(format!("the status {status}")))
}
