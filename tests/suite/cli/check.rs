//! `mockd check`: its output for valid, invalid and malformed files.

use super::{run, text};
use crate::support::{ScenarioFile, needs, soon};

#[tokio::test]
async fn check_verbose_reports_how_often_frames_are_encoded() {
    let file = ScenarioFile::new(
        "
data: { rows: [], price: 1 }
http:
  GET /live:
    - { when: query.x, stream: [{ join: { to: rows, frame: { price: $price, row: $event.row } } }] }
    - { stream: [{ reply: 1 }] }
websocket:
  /rooms/{room}:
    frame: { at: $now.iso, of: $topic }
    open: [{ join: { to: rows, frame: { room: $path.room, who: $query.name } } }]
    messages: [{ text: a, join: { to: rows, do: [{ join: { to: price, frame: { me: $conn.id } } }] } }]
",
    );
    let output = run(&["check", "--verbose", file.path().to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stdout = text(&output.stdout).split_once('\n').unwrap().1;
    let expected = "  GET /live, answer 1: frame encoded once for all members
  /rooms/{room}: frame encoded once for all members
  /rooms/{room}, open: frame encoded once for members with the same path, query
  /rooms/{room}, rule 1: frame encoded for each member, because it uses conn
";
    assert_eq!(stdout, expected);
}

#[tokio::test]
async fn check_prints_ok_for_each_file_and_exits_with_0() {
    let output = run(&["check", "scenarios/shop.yaml", "scenarios/webhook.yaml", "scenarios/flash-sale.yaml"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let expected = "\
scenarios/shop.yaml: ok, 2 categories, 3 products, 1 generator, 0 scripts
scenarios/webhook.yaml: ok, 2 categories, 3 products, 0 generators, 0 scripts
scenarios/flash-sale.yaml: ok, 1 category, 2 products, 1 generator, 1 script
";
    assert_eq!(text(&output.stdout), expected);
}

#[tokio::test]
async fn check_continues_after_a_broken_file_and_exits_with_1() {
    let broken = ScenarioFile::new("categories: 3\n");
    let output = run(&["check", broken.path().to_str().unwrap(), "nope.yaml", "scenarios/shop.yaml"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("scenarios/shop.yaml: ok"));
    assert!(text(&output.stderr).contains(":1:13"));
    assert!(text(&output.stderr).contains("cannot read nope.yaml"));
}

#[tokio::test]
async fn check_reports_as_json() {
    let directory = tempfile::TempDir::new().unwrap();
    let broken = directory.path().join("broken.yaml");
    std::fs::write(&broken, "categories:\n  toys: { prefix: T, products: [{ id: T1 }, { id: T1 }] }\nsed: 3\n")
        .unwrap();
    let (broken, gone) = (broken.to_str().unwrap(), directory.path().join("gone.yaml"));
    let output = run(&["check", "--format", "json", broken, gone.to_str().unwrap(), "scenarios/shop.yaml"]).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), ""));
    let gone = gone.to_str().unwrap();
    let expected = serde_json::json!({ "ok": false, "files": [
        { "file": broken, "ok": false, "problems": [
            { "kind": "duplicate-id", "message": "product id `T1` is declared twice", "file": broken,
              "line": 2, "column": 51, "endColumn": 53, "label": "declared again here",
              "help": "give one of them another id",
              "related": { "file": broken, "line": 2, "column": 39, "endColumn": 41 } },
            { "kind": "unknown-key", "message": "unknown key `sed`", "file": broken,
              "line": 3, "column": 1, "endColumn": 4, "label": "unknown key", "suggestion": "seed",
              "help": "did you mean `seed`?" },
        ] },
        { "file": gone, "ok": false, "problems": [
            { "kind": "unreadable", "message": format!("cannot read {gone}: there is no such file"), "file": gone },
        ] },
        { "file": "scenarios/shop.yaml", "ok": true, "categories": 2, "products": 3, "generators": 1, "scripts": 0 },
    ] });
    let stdout: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stdout, expected);
}

#[tokio::test]
async fn check_reports_as_github_annotations() {
    let directory = tempfile::TempDir::new().unwrap();
    let broken = directory.path().join("50%,a.yaml");
    std::fs::write(&broken, "categories: { \"toys: new\": { prefx: T } }\nfeed: al\n").unwrap();
    let output =
        run(&["check", "--format", "github", broken.to_str().unwrap(), "gone.yaml", "scenarios/shop.yaml"]).await;
    let file = broken.to_str().unwrap().replace("50%,a", "50%25%2Ca");
    let expected = format!(
        "::error file={file},line=1,endLine=1,col=30,endColumn=34,title=unknown key `prefx`::unknown key%0Adid you mean `prefix`?
::error file={file},line=2,endLine=2,col=7,endColumn=8,title=`al` is not a valid value here::expected `all`, `category`%0Adid you mean `all`?
::error file=gone.yaml::cannot read gone.yaml: there is no such file
scenarios/shop.yaml: ok, 2 categories, 3 products, 1 generator, 0 scripts
"
    );
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), expected.as_str()));
}

/// Runs `mockd check` on a file of these bytes with at most 1 GiB of memory. Returns its exit code and report.
#[cfg(unix)]
async fn check_bytes(bytes: &[u8]) -> (Option<i32>, String) {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("wild.yaml");
    std::fs::write(&path, bytes).unwrap();
    let mut shell = tokio::process::Command::new("sh");
    let script = format!("ulimit -v 1048576; exec {} check {}", env!("CARGO_BIN_EXE_mockd"), path.display());
    let output = soon("check's exit", shell.args(["-c", &script]).kill_on_drop(true).output()).await.unwrap();
    (output.status.code(), text(&output.stderr).to_owned())
}

#[cfg(unix)]
#[tokio::test]
async fn malformed_files_are_refused_with_a_report_and_little_memory() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\n".to_owned()
        + &('b'..='n').zip('a'..).fold(String::new(), |text, (name, before)| {
            format!("{text}{name}: &{name} [{}]\n", vec![format!("*{before}"); 8].join(","))
        });
    let aliases = |what: &str, item: String| {
        let many = vec!["*g"; 50_000].join(", ");
        format!("categories: {{ t: {{ prefix: T, products: [{{ id: T1 }}] }} }}\norders: {{ {what}: [&g {item}, {many}] }}\n")
            .into_bytes()
    };
    let keys = |count: usize, entry: &str| {
        vec![entry; count]
            .iter()
            .enumerate()
            .map(|(n, e)| e.replace('#', &n.to_string()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let repeated = |line: &str| line.repeat((10 << 20) / line.len()).into_bytes();
    for (name, bytes, expected) in [
        (
            "alias bomb",
            format!("{bomb}categories: {{ t: {{ prefix: T, products: [{{ x: *n }}] }} }}\n").into_bytes(),
            "aliases expand into more than",
        ),
        (
            "aliases of wrong keys",
            aliases("random", format!("{{ every: 1s, {} }}", keys(5_000, "k#: 1"))),
            "aliases expand into more than",
        ),
        (
            "aliases of weights",
            aliases("random", format!("{{ every: 1s, products: {{ weights: {{ {} }} }} }}", keys(5_000, "T#: 1"))),
            "aliases expand into more than",
        ),
        (
            "aliases of steps",
            aliases("scripts", format!("{{ steps: [{}] }}", keys(5_000, "{ product: T1, amount: 1 }"))),
            "aliases expand into more than",
        ),
        ("10 MiB of brackets", repeated("["), "recursion limit"),
        ("10 MiB of one key", repeated("a: 1\n"), "`a` is declared twice"),
        ("10 MiB of dashes", repeated("- "), "error"),
        ("10 MiB of text", repeated("word "), "expected a mapping"),
        ("10 MiB of anchors", repeated("- &a x\n"), "expected a mapping"),
        ("10 MiB of NUL", vec![0; 10 << 20], "error"),
        ("bad UTF-8", b"name: \xff\xfe\n".to_vec(), "the file is not UTF-8 text"),
        ("UTF-16, little-endian", b"\xff\xfen\0a\0m\0e\0".to_vec(), "the file is UTF-16 text"),
        ("UTF-16, big-endian", b"\xfe\xff\0n\0a\0m\0e".to_vec(), "the file is UTF-16 text"),
        ("UTF-16 without a mark", b"n\0a\0m\0e\0:\0".to_vec(), "the file is UTF-16 text"),
        ("UTF-16 without a mark, big-endian", b"\0n\0a\0m\0e".to_vec(), "the file is UTF-16 text"),
        ("a tab as indentation", b"categories:\n\ttoys: {}\n".to_vec(), "a tab here; YAML indents with spaces"),
        ("a NUL in text", b"name: a\0b\n".to_vec(), "error"),
    ] {
        let (code, report) = check_bytes(&bytes).await;
        assert_eq!(code, Some(1), "{name}: {report}");
        assert!(report.contains(expected), "{name}: {report}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn windows_line_endings_and_a_byte_order_mark_are_accepted() {
    let shop = std::fs::read_to_string("scenarios/shop.yaml").unwrap();
    let windows = format!("\u{feff}{}", shop.replace('\n', "\r\n"));
    assert_eq!(check_bytes(windows.as_bytes()).await.0, Some(0));
    let (_, report) = check_bytes(windows.replace("amount", "amout").as_bytes()).await;
    let line = shop.lines().position(|line| line.contains("amount")).unwrap() + 1;
    assert!(report.contains(&format!("wild.yaml:{line}:7")) && report.contains("did you mean `amount`?"), "{report}");
}

#[cfg(unix)]
#[tokio::test]
async fn reports_are_coloured_on_a_terminal_and_plain_when_piped() {
    needs!(UtilLinux);
    let broken = ScenarioFile::new("categories: 3\n");
    let check = format!("{} check {}", env!("CARGO_BIN_EXE_mockd"), broken.path().display());
    // util-linux's `script` runs a command on a terminal of its own.
    let on_terminal = |setting: &str| {
        let mut command = tokio::process::Command::new("script");
        command.args(["-qec", &format!("{setting} {check}"), "/dev/null"]).env_remove("NO_COLOR").kill_on_drop(true);
        command
    };
    let coloured = soon("a report", on_terminal("").output()).await.unwrap().stdout;
    assert!(text(&coloured).contains("\x1b[") && text(&coloured).contains("found the number"), "{}", text(&coloured));
    let plain = soon("a report", on_terminal("NO_COLOR=1").output()).await.unwrap().stdout;
    assert!(!text(&plain).contains('\x1b') && text(&plain).contains("found the number"), "{}", text(&plain));
    let mut piped = tokio::process::Command::new("sh");
    let piped = soon("a report", piped.args(["-c", &check]).env_remove("NO_COLOR").output()).await.unwrap().stderr;
    assert!(!text(&piped).contains('\x1b') && text(&piped).contains("found the number"), "{}", text(&piped));
}
