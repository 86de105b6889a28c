//! Static files beside the API: only files in the folder are served, with their media types.

use std::fs;
use std::path::Path;

use crate::support::{Answer, Mockd, SHOP, ScenarioFile, http, raw};

const SECRET: &str = "the secret";

/// Starts a mock that serves the folder `site`, beside a secret file that it must not serve.
async fn with_site(prepare: impl FnOnce(&Path)) -> (ScenarioFile, Mockd) {
    let file = ScenarioFile::new(SHOP);
    let site = file.directory().join("site");
    fs::create_dir_all(site.join("sub")).unwrap();
    fs::create_dir(file.directory().join("site-secret")).unwrap();
    for (path, text) in [
        ("site/index.html", "the page"),
        ("site/sub/a.txt", "0123456789"),
        ("site-secret/secret.txt", SECRET),
        ("secret.txt", SECRET),
    ] {
        fs::write(file.directory().join(path), text).unwrap();
    }
    prepare(&site);
    let mockd = Mockd::run_with(file.path(), &["--static", site.to_str().unwrap()]).await;
    (file, mockd)
}

/// Sends a GET with this exact target, and returns the whole answer.
async fn get(mockd: &Mockd, target: &str) -> String {
    let request = format!("GET {target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    raw(mockd, request.as_bytes()).await
}

/// Ways to write the path of a file F outside of the folder, which is in a directory D.
const TRAVERSALS: &str = r"
    /.. /../ /%2e%2e /%2e%2e%2f /../F /../site-F /%2e%2e/F /%2E%2E%2fF /.%2e/F /%2e./F /..%2fF /sub/../../F
    /sub/..%2f..%2fF /sub/%2e%2e/%2e%2e/F /./../F //../F /x/../../F /..\F /\..\F /..%5cF /%2e%2e%5cF /..%252fF
    /%252e%252e/F /%252e%252e%252fF /....//F /..;/F /..%c0%afF /%c0%ae%c0%ae/F /..%ef%bc%8fF /%00 /..%00/F
    /../F%00.html /..%2fF%00 /index.html%00 /index.html%00.png /sub%00/a.txt /%2fD/F //D/F /%2f%2fD/F D/F
    /sub/%2fD/F /sub//D/F /~/F /file:%2f%2fD/F http://localhost/../F http://localhost/..%2fF /@a/../F /@a/..%2fF
    /@a/%2e%2e/%2e%2e/F /@..%2f/F /@%2e%2e/F /orders/../../F /__mockd/..%2f..%2fF
";

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let (file, custom) = with_site(|_| {}).await;
    let built_in = Mockd::run(&file).await;
    let absolute = file.directory().to_str().unwrap();
    for (mockd, secret) in [(&custom, "secret.txt"), (&custom, "site-secret/secret.txt"), (&built_in, "Cargo.toml")] {
        for target in TRAVERSALS.split_whitespace() {
            let target = target.replace('F', secret).replace('D', absolute);
            let answer = get(mockd, &target).await;
            let refused = ["HTTP/1.1 404 ", "HTTP/1.1 400 ", "HTTP/1.1 426 "];
            assert!(refused.iter().any(|one| answer.starts_with(one)), "{target}: {answer}");
            assert!(!answer.contains(SECRET) && !answer.contains("[package]"), "{target}: {answer}");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_only_within_the_folder() {
    use std::os::unix::fs::symlink;
    let (file, mockd) = with_site(|site| {
        for (target, link) in [
            ("sub", "inner"),
            ("sub/a.txt", "inner.txt"),
            ("../site/sub/a.txt", "around.txt"),
            ("../secret.txt", "out.txt"),
            ("out.txt", "sub.txt"),
            ("..", "up"),
            ("../site-secret", "sibling"),
            ("nowhere", "dangling"),
            ("loop", "loop"),
            ("../../secret.txt", "sub/index.html"),
        ] {
            symlink(target, site.join(link)).unwrap();
        }
        symlink("/", site.join("root")).unwrap();
        symlink(site, site.parent().unwrap().join("linked")).unwrap();
    })
    .await;
    for path in ["/inner/a.txt", "/inner.txt", "/around.txt"] {
        assert_eq!(mockd.get(path).await.text, "0123456789", "{path}");
    }
    let out = ["/out.txt", "/sub.txt", "/up", "/up/", "/up/secret.txt", "/sibling/secret.txt", "/dangling", "/loop"];
    for path in out.into_iter().chain(["/sub/", "/sub/index.html", "/inner/", "/root/", "/root/dev/zero"]) {
        let answer = mockd.get(path).await;
        assert_eq!((answer.status, answer.text.contains(SECRET)), (404, false), "{path}");
    }
    let linked = file.directory().join("linked");
    let linked = Mockd::run_with(file.path(), &["--static", linked.to_str().unwrap()]).await;
    assert_eq!((linked.get("/").await.text.as_str(), linked.get("/out.txt").await.status), ("the page", 404));
}

#[tokio::test]
async fn folders_are_not_listed() {
    let (_file, mockd) = with_site(|site| fs::create_dir(site.join("empty")).unwrap()).await;
    for path in ["/sub", "/sub/", "/empty", "/empty/", "/@a/sub/"] {
        let answer = mockd.get(path).await;
        assert_eq!((answer.status, answer.text.contains("a.txt")), (404, false), "{path}");
    }
    let built_in = Mockd::run(&ScenarioFile::new(SHOP)).await;
    assert_eq!(built_in.get("/static/").await.status, 404);
}

#[tokio::test]
async fn a_folder_redirects_to_its_slash_on_the_same_host() {
    let (_file, mockd) = with_site(|_| {}).await;
    assert!(get(&mockd, "/sub").await.contains("\r\nlocation: /sub/\r\n"));
    assert!(get(&mockd, "/@a/sub").await.contains("\r\nlocation: /@a/sub/\r\n"));
    for target in
        ["//sub", "///sub", "/\\sub", "/%5csub", "//evil.test/..%2fsub", "//evil.test/..", "//evil.test/..%2f"]
    {
        let answer = get(&mockd, target).await;
        assert!(!answer.contains("\r\nlocation:"), "{target}: {answer}");
    }
}

#[tokio::test]
async fn each_kind_of_file_has_its_media_type() {
    let kinds = [
        ("html", "text/html; charset=utf-8"),
        ("js", "text/javascript; charset=utf-8"),
        // An alias of `text/javascript` (RFC 9239).
        ("mjs", "application/javascript; charset=utf-8"),
        ("css", "text/css; charset=utf-8"),
        ("csv", "text/csv; charset=utf-8"),
        ("md", "text/markdown; charset=utf-8"),
        ("json", "application/json; charset=utf-8"),
        ("svg", "image/svg+xml; charset=utf-8"),
        ("xml", "text/xml; charset=utf-8"),
        ("txt", "text/plain; charset=utf-8"),
        ("png", "image/png"),
        ("wasm", "application/wasm"),
        ("woff2", "font/woff2"),
    ];
    let fill = |site: &Path| {
        for (extension, _) in kinds {
            fs::write(site.join("file.").with_extension(extension), "x").unwrap();
        }
    };
    let (_file, mockd) = with_site(fill).await;
    for (extension, kind) in kinds {
        let answer = mockd.get(&format!("/file.{extension}")).await;
        let content_type = answer.header("content-type");
        assert_eq!((answer.status, content_type, answer.text.as_str()), (200, kind, "x"), "{extension}");
    }
    let built_in = Mockd::run(&ScenarioFile::new(SHOP)).await;
    for (path, kind) in [("/", "text/html"), ("/app.js", "text/javascript"), ("/style.css", "text/css")] {
        assert_eq!(built_in.get(path).await.header("content-type"), format!("{kind}; charset=utf-8"));
    }
}

#[tokio::test]
async fn only_utf_8_files_are_served_as_utf_8() {
    let latin = [b"<meta charset=latin1>caf\xe9 ".as_slice(), "x".repeat(20_000).as_bytes()].concat();
    let late = ["é\n".repeat(20_000).as_bytes(), b"caf\xe9"].concat();
    let (_file, mockd) = with_site(|site| {
        fs::write(site.join("latin.html"), latin).unwrap();
        fs::write(site.join("late.js"), late).unwrap();
        fs::write(site.join("utf-8.html"), "<meta charset=utf-8>café").unwrap();
        fs::write(site.join("sub/index.html"), b"caf\xe9").unwrap();
    })
    .await;
    for (path, kind) in [
        ("/latin.html", "text/html"),
        ("/late.js", "text/javascript"),
        ("/sub/", "text/html"),
        ("/utf-8.html", "text/html; charset=utf-8"),
        ("/", "text/html; charset=utf-8"),
    ] {
        let answer = http("GET", &format!("{}{path}", mockd.url()), &[("range", "bytes=0-1")], None).await;
        assert_eq!((answer.status, answer.header("content-type")), (206, kind), "{path}");
    }
}

#[tokio::test]
async fn a_matching_etag_gets_304() {
    let (file, custom) = with_site(|_| {}).await;
    let built_in = Mockd::run(&file).await;
    for (mockd, path) in [(&custom, "/sub/a.txt"), (&custom, "/"), (&built_in, "/"), (&built_in, "/@a/app.js")] {
        let first = mockd.get(path).await;
        let etag = first.header("etag");
        let opaque = etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
        assert!(!opaque.is_empty() && !opaque.contains('"'), "{path}: {etag}");
        let url = format!("{}{path}", mockd.url());
        for (condition, status) in [
            (etag.to_owned(), 304),
            (format!("W/{etag}"), 304),
            (format!("\"x\", {etag}"), 304),
            (format!("\"a,b\",W/{etag} , \"y\""), 304),
            ("*".to_owned(), 304),
            ("\"x\"".to_owned(), 200),
            ("W/\"x\", \"y\"".to_owned(), 200),
            (opaque.to_owned(), 200),
            (String::new(), 200),
        ] {
            // If-None-Match takes precedence over If-Modified-Since (RFC 9110, 13.1.3).
            let headers =
                [("if-none-match", condition.as_str()), ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")];
            for method in ["GET", "HEAD"] {
                let answer = http(method, &url, &headers, None).await;
                assert_eq!((answer.status, answer.header("etag")), (status, etag), "{method} {path} {condition}");
                let is_whole = status == 200 && method == "GET";
                assert_eq!(answer.text, if is_whole { first.text.as_str() } else { "" }, "{method} {path} {condition}");
                assert_eq!(answer.header("content-type").is_empty(), status == 304, "{method} {path} {condition}");
                if status == 304 {
                    assert_eq!(answer.header("content-length"), "", "{method} {path} {condition}");
                }
            }
        }
    }
    fs::write(file.directory().join("site/sub/a.txt"), "other").unwrap();
    let etag = custom.get("/").await.header("etag").to_owned();
    let answer = http("GET", &format!("{}/sub/a.txt", custom.url()), &[("if-none-match", &etag)], None).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "other"));
}

#[tokio::test]
async fn file_names_are_decoded_once() {
    let (file, mockd) = with_site(|site| {
        for name in ["a b.txt", "50%25.txt", "50%.txt", "süß.txt", "sub/%41.txt", "sub/A.txt"] {
            fs::write(site.join(name), name).unwrap();
        }
    })
    .await;
    for (path, name) in [
        ("/a%20b.txt", "a b.txt"),
        ("/%61%20b%2etxt", "a b.txt"),
        ("/50%2525.txt", "50%25.txt"),
        ("/50%25.txt", "50%.txt"),
        ("/s%C3%BC%c3%9f.txt", "süß.txt"),
        ("/sub/%2541.txt", "sub/%41.txt"),
        ("/sub/%41.txt", "sub/A.txt"),
        ("/@a/s%75b/A.txt", "sub/A.txt"),
    ] {
        let answer = mockd.get(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, name), "{path}");
    }
    for path in ["/sub%2fA.txt", "/sub%2FA.txt", "/%2fsub/A.txt", "/sub/A.txt%2f"] {
        assert_eq!(mockd.get(path).await.status, 404, "{path}");
    }
    let built_in = Mockd::run(&file).await;
    for (path, status) in [("/app%2ejs", 200), ("/%61pp.js", 200), ("/app%252ejs", 404), ("/%2fapp.js", 404)] {
        assert_eq!(built_in.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_head_gets_the_headers_of_a_get_without_a_body() {
    let (file, custom) = with_site(|_| {}).await;
    let built_in = Mockd::run(&file).await;
    for (mockd, path) in [(&custom, "/sub/a.txt"), (&custom, "/"), (&built_in, "/"), (&built_in, "/app.js")] {
        let whole = mockd.get(path).await;
        // Only GET defines ranges (RFC 9110, 14.2).
        let request =
            format!("HEAD {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nrange: bytes=0-1\r\n\r\n");
        let head = raw(mockd, request.as_bytes()).await;
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
        assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", whole.text.len())), "{head}");
        assert!(head.contains(&format!("\r\ncontent-type: {}\r\n", whole.header("content-type"))), "{head}");
    }
}

async fn range(mockd: &Mockd, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let Answer { status, headers, text } = http("GET", &format!("{}{path}", mockd.url()), headers, None).await;
    (status, text, headers.get("content-range").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default())
}

#[tokio::test]
async fn a_range_is_cut_to_the_length_of_the_file() {
    let (_file, mockd) = with_site(|_| {}).await;
    for (requested, part, content_range) in [
        ("bytes=0-0", "0", "bytes 0-0/10"),
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=9-9", "9", "bytes 9-9/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=7-20", "789", "bytes 7-9/10"),
        ("bytes=7-18446744073709551615", "789", "bytes 7-9/10"),
        ("bytes=0-", "0123456789", "bytes 0-9/10"),
        ("bytes=0-9", "0123456789", "bytes 0-9/10"),
        ("bytes=-99", "0123456789", "bytes 0-9/10"),
    ] {
        let expected = (206, part.to_owned(), content_range.to_owned());
        assert_eq!(range(&mockd, "/sub/a.txt", &[("range", requested)]).await, expected, "{requested}");
    }
}

#[tokio::test]
async fn invalid_and_empty_ranges_are_ignored() {
    let (_file, mockd) = with_site(|site| fs::write(site.join("empty.txt"), "").unwrap()).await;
    let whole = (200, "0123456789".to_owned(), String::new());
    let ranges = ["10-", "11-", "20-30", "4-2", "-0", "-", "x", "0x1-2", "0-99999999999999999999", "0-1,4-5", "-1-2"];
    let ranges = ranges.map(|range| format!("bytes={range}"));
    for requested in ranges.iter().map(String::as_str).chain(["lines=1-2", "bytes", ""]) {
        assert_eq!(range(&mockd, "/sub/a.txt", &[("range", requested)]).await, whole, "{requested}");
        assert_eq!(
            range(&mockd, "/empty.txt", &[("range", requested)]).await,
            (200, String::new(), String::new()),
            "{requested}"
        );
    }
    // The range may belong to an older version of the file.
    assert_eq!(range(&mockd, "/sub/a.txt", &[("range", "bytes=2-4"), ("if-range", "\"old\"")]).await, whole);
}

#[cfg(unix)]
#[tokio::test]
async fn pipes_devices_and_sockets_are_not_served() {
    let pipe = |path: &Path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    let (_file, mockd) = with_site(|site| {
        pipe(&site.join("pipe"));
        pipe(&site.join("sub/index.html"));
        std::os::unix::fs::symlink("pipe", site.join("linked.txt")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", site.join("zero.txt")).unwrap();
        fs::create_dir(site.join("loop")).unwrap();
        std::os::unix::fs::symlink(".", site.join("loop/index.html")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(site.join("socket")).unwrap());
    })
    .await;
    for path in [
        "/pipe",
        "/pipe/",
        "/sub/",
        "/sub/index.html",
        "/linked.txt",
        "/zero.txt",
        "/socket",
        "/socket/",
        "/loop",
        "/loop/",
    ] {
        assert_eq!(mockd.get(path).await.status, 404, "{path}");
    }
    assert_eq!(mockd.get("/").await.text, "the page");
}

#[tokio::test]
async fn a_declared_root_replaces_the_page_but_not_its_files() {
    let mockd = Mockd::run(&ScenarioFile::new("http: { GET /: { text: mine } }")).await;
    for path in ["/", "/@a/", "/?x=1"] {
        assert_eq!(mockd.get(path).await.text, "mine", "{path}");
    }
    assert!(mockd.get("/app.js").await.text.contains("import"));
    // The scenario's answer is journalled, so that tests can check it.
    let entries = mockd.get("/__mockd/journal").await.json()["entries"].clone();
    assert_eq!((entries[0]["route"].as_str(), entries.as_array().unwrap().len()), (Some("GET /"), 2));
}
