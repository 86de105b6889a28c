//! Origins of web pages, as browsers send them.

use thiserror::Error;
use url::{Origin, Url};

/// The error for a text that is not the origin of a web page.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not the origin of a web page")]
pub struct OriginError {
    /// The text.
    pub text: String,
    /// The origin that was most likely meant.
    pub meant: Option<String>,
}

/// Parses an origin, and returns it as browsers send it (RFC 6454, 6.2): scheme and host in lower case, without the
/// scheme's default port. `null` is the origin of sandboxed frames and of pages that were opened as files.
///
/// # Errors
/// [`OriginError`] if no browser would send it, for example because it has a path.
pub(crate) fn parse_origin(text: &str) -> Result<String, OriginError> {
    let error =
        |meant: Option<String>| OriginError { text: text.to_owned(), meant: meant.filter(|meant| meant != text) };
    if text == "null" {
        return Ok(text.to_owned());
    }
    let bare = text.trim();
    let Some((scheme, rest)) = bare.split_once("://") else { return Err(error(without_scheme(bare))) };
    // A page's origin has the scheme that the page was fetched with, not the scheme that it uses to talk to its server.
    let page_scheme = match scheme.to_ascii_lowercase().as_str() {
        "ws" => "http".to_owned(),
        "wss" => "https".to_owned(),
        "file" => return Err(error(Some("null".to_owned()))),
        scheme => scheme.to_owned(),
    };
    let Some(origin) = origin(&page_scheme, rest) else { return Err(error(None)) };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    // A value that differs in more than case and port is a mistake.
    let is_exact = bare == text && host == rest && host.is_ascii() && !host.contains('@');
    if is_exact && page_scheme.eq_ignore_ascii_case(scheme) { Ok(origin) } else { Err(error(Some(origin))) }
}

/// Returns the origin of a host that is written without a scheme; `None` if the text is not a host.
fn without_scheme(text: &str) -> Option<String> {
    let host = text.split(['/', ':']).next().unwrap_or_default();
    let is_local = host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    let is_host = is_local || host.contains('.');
    origin(if is_local { "http" } else { "https" }, text).filter(|_| is_host)
}

/// Returns the origin of the URL with this scheme and rest.
fn origin(scheme: &str, rest: &str) -> Option<String> {
    // `Url` accepts these characters in a host, but no page has such an origin.
    if rest.contains('*') || rest.contains(char::is_whitespace) {
        return None;
    }
    let url = Url::parse(&format!("{scheme}://{rest}")).ok()?;
    match url.origin() {
        origin @ Origin::Tuple(..) => Some(origin.ascii_serialization()),
        // Apps built with web technology have their own schemes, such as `tauri://localhost`.
        Origin::Opaque(_) => {
            let host = url.host_str().filter(|host| !host.is_empty())?.to_ascii_lowercase();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{scheme}://{host}{port}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse_origin;

    #[test]
    fn an_origin_is_normalised_as_browsers_send_it() {
        for (text, origin) in [
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example:443", "https://app.example"),
            ("http://localhost:80", "http://localhost"),
            ("https://localhost:80", "https://localhost:80"),
            ("http://LOCALHOST:5173", "http://localhost:5173"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("tauri://localhost", "tauri://localhost"),
            ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
            ("capacitor://LocalHost:3000", "capacitor://localhost:3000"),
            ("null", "null"),
        ] {
            assert_eq!(parse_origin(text).as_deref(), Ok(origin), "{text}");
        }
    }

    #[test]
    fn an_invalid_origin_is_refused_with_a_suggestion() {
        for (text, meant) in [
            ("https://app.example/", Some("https://app.example")),
            ("https://App.example:443/shop?x#y", Some("https://app.example")),
            ("https://user:secret@app.example", Some("https://app.example")),
            (" https://app.example ", Some("https://app.example")),
            ("https://app.example?x", Some("https://app.example")),
            ("https://app.example\\", Some("https://app.example")),
            ("https://bücher.example", Some("https://xn--bcher-kva.example")),
            ("app.example", Some("https://app.example")),
            ("app.example:8443/", Some("https://app.example:8443")),
            ("localhost:5173", Some("http://localhost:5173")),
            ("127.0.0.1:5173", Some("http://127.0.0.1:5173")),
            ("ws://localhost:5173", Some("http://localhost:5173")),
            ("wss://app.example", Some("https://app.example")),
            ("file:///home/me/index.html", Some("null")),
            ("tauri://localhost/", Some("tauri://localhost")),
            ("*", None),
            ("https://*.app.example", None),
            ("https://*", None),
            ("https://", None),
            ("://app.example", None),
            ("https://app.example:99999", None),
            ("https://app example", None),
            ("everybody", None),
            ("", None),
        ] {
            let error = parse_origin(text).map_err(|error| error.meant);
            assert_eq!(error, Err(meant.map(str::to_owned)), "{text}");
            if let Some(meant) = meant {
                assert_eq!(parse_origin(meant).as_deref(), Ok(meant), "the advice is right");
            }
        }
    }
}
