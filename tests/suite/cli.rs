//! The command line: what it prints, what it refuses, how it ends.

mod arguments;
mod help;

use std::net::TcpListener;
use std::process::Output;

use crate::support::{Mockd, Port, SHOP, ScenarioFile, command, needs, poll, signal, soon};

async fn run(arguments: &[&str]) -> Output {
    soon("the end of mockd", command(arguments).output()).await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The command fails, says nothing on standard output, and its error is one line.
async fn refuses(arguments: &[&str], message: &str) {
    let output = run(arguments).await;
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), format!("error: {message}\n"));
}

#[cfg(unix)]
#[tokio::test]
async fn run_says_the_url_the_categories_and_what_is_watched() {
    let file = ScenarioFile::new(SHOP);
    let path = file.path().to_str().unwrap();
    let mut child = command(&["run", path, "--port", "0", "--seed", "7"]);
    let child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let pid = child.id().unwrap();
    let mut stdout = tokio::io::BufReader::new(child.stdout.unwrap());
    let mut said = String::new();
    while !said.ends_with("Ctrl-C\n") {
        let mut line = String::new();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut stdout, &mut line);
        assert!(soon("a line", read).await.unwrap() > 0, "{said}");
        said += &line;
    }
    signal(pid, "TERM");
    let port = said.lines().next().unwrap().rsplit(':').next().unwrap();
    let address = format!("127.0.0.1:{port}");
    let expected = format!(
        "mockd serves shop at http://{address}
  /electronics    2 products  ws://{address}/orders/electronics
  /confectionery  1 product   ws://{address}/orders/confectionery
  watching {path}: edit it and save
ready, pid {pid}, seed 7, stop with Ctrl-C
"
    );
    assert_eq!(said, expected);
}

#[tokio::test]
async fn the_json_greeting_says_the_same() {
    let file = ScenarioFile::new(SHOP);
    let mockd = Mockd::run_with(file.path(), &["--seed", "7"]).await;
    let expected = serde_json::json!({ "ready": true, "url": mockd.url(), "pid": mockd.pid(), "seed": 7,
        "scenario": "shop", "watching": file.path(),
        "categories": ["electronics", "confectionery"] });
    assert_eq!(mockd.greeting(), &expected);
}

#[tokio::test]
async fn a_taken_port_is_one_clear_sentence() {
    let file = ScenarioFile::new(SHOP);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let message = format!(
        "port {port} on 127.0.0.1 is taken; stop the program that has it, or choose another with --port (0 takes a free one)"
    );
    refuses(&["run", file.path().to_str().unwrap(), "--port", &port], &message).await;
}

#[tokio::test]
async fn a_missing_file_is_one_clear_sentence() {
    for command in ["run", "check"] {
        refuses(&[command, "nope.yaml"], "cannot read nope.yaml: there is no such file").await;
    }
}

#[tokio::test]
async fn a_folder_without_a_scenario_is_one_clear_sentence() {
    let message = "no scenario in tests: it has no file that ends in .yaml, .yml or .json; put one there, or name another \
                   folder or a file";
    refuses(&["play", "tests"], message).await;
    refuses(&["check", "tests"], "cannot read tests: no file in it ends in .yaml, .yml or .json").await;
}

#[tokio::test]
async fn a_missing_static_directory_is_one_clear_sentence() {
    let file = ScenarioFile::new(SHOP);
    let message = "nowhere is not a directory; --static takes the directory to serve";
    refuses(&["run", file.path().to_str().unwrap(), "--static", "nowhere"], message).await;
}

#[tokio::test]
async fn a_broken_file_is_not_served() {
    let file = ScenarioFile::new("categories: 3\n");
    let output = run(&["run", file.path().to_str().unwrap(), "--port", "0"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let expected = format!(
        "error: expected a mapping, found the number `3`
 --> {}:1:13
  |
1 | categories: 3
  |             ^ expected a mapping
",
        file.path().display()
    );
    assert_eq!(text(&output.stderr), expected);
}

#[tokio::test]
async fn wrong_flags_end_with_2_and_a_hint() {
    for (arguments, hint) in [
        (&["run", "x.yaml", "--prot", "1"][..], "'--port'"),
        (&["run", "x.yaml", "--port", "70000"], "70000"),
        (&["run", "x.yaml", "--host", "nowhere"], "nowhere"),
        (&["run", "x.yaml", "--poll", "--no-watch"], "--no-watch"),
        (&["chek", "x.yaml"], "'check'"),
        (
            &["run", "x.yaml", "--ping", "5"],
            "`5` is not a duration: expected a number with a unit, such as 500ms, 5s or 1m30s",
        ),
        (&["completions", "tcsh"], "tcsh"),
    ] {
        let output = run(arguments).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(hint), "{}", text(&output.stderr));
    }
}

#[tokio::test]
async fn flags_win_over_the_server_section() {
    let file = ScenarioFile::new(&format!("server: {{ port: 1, host: 192.0.2.1, static: nowhere }}{SHOP}"));
    let site = file.directory().to_str().unwrap();
    let mockd = Mockd::run_with(file.path(), &["--port", "0", "--host", "localhost", "--static", site]).await;
    assert!(mockd.port() > 1);
    assert!(mockd.get("/shop.yaml").await.text.contains("192.0.2.1"));
}

#[tokio::test]
async fn the_server_section_counts_without_flags() {
    let file = ScenarioFile::new(&format!("name: corner shop\nseed: 9\nserver: {{ static: site }}{SHOP}"));
    std::fs::create_dir(file.directory().join("site")).unwrap();
    std::fs::write(file.directory().join("site/index.html"), "mine").unwrap();
    let mockd = Mockd::run(&file).await;
    assert_eq!(mockd.greeting()["scenario"], "corner shop");
    assert_eq!(mockd.greeting()["seed"], 9);
    assert_eq!(mockd.get("/").await.text, "mine");
}

#[tokio::test]
async fn one_seed_gives_the_same_orders_on_every_run() {
    let random = "orders: { random: [{ every: 1ms, amount: { min: 1, max: 1000 } }] }";
    let file = ScenarioFile::new(&format!("{SHOP}{random}"));
    let mut totals = Vec::new();
    for _ in 0..2 {
        let mockd = Mockd::run_with(file.path(), &["--seed", "42"]).await;
        let mut live = mockd.live("electronics").await;
        // A socket may open late; what it gets is compared by what came before it: the total itself.
        let mut seen: Vec<(String, i64)> = Vec::new();
        while seen.len() < 300 {
            seen.push(live.order().await);
        }
        totals.push(seen);
    }
    let common = totals[0].iter().filter(|order| totals[1].contains(order)).count();
    assert!(common > 100, "only {common} of 300 orders are the same");
}

#[cfg(unix)]
#[tokio::test]
async fn interrupt_and_terminate_end_it_with_0() {
    for signal in ["INT", "TERM"] {
        let mockd = Mockd::run(&ScenarioFile::new(SHOP)).await;
        mockd.signal(signal);
        assert_eq!(mockd.ended().await.code(), Some(0));
    }
}

/// Waits until somebody listens there.
async fn listens(port: &Port) {
    let connect = async || tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.ok();
    poll("a listening server", connect).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn output_that_cannot_be_written_neither_ends_the_server_nor_panics() {
    let file = ScenarioFile::new(SHOP);
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let port = Port::free();
    let mut child = command(&["run", "-v", file.path().to_str().unwrap(), "--port", &port.to_string()]);
    let mut child = child.stdout(full()).stderr(full()).spawn().unwrap();
    listens(&port).await;
    let answer = crate::support::http("GET", &format!("http://127.0.0.1:{port}/electronics"), &[], None).await;
    assert_eq!(answer.status, 200);
    let pid = child.id().unwrap();
    signal(pid, "TERM");
    assert_eq!(soon("the end", child.wait()).await.unwrap().code(), Some(0));
    for arguments in [&["check", "nope.yaml"][..], &["run", "nope.yaml"], &["check", "--print", "scenarios/shop.yaml"]]
    {
        let mut child = command(arguments).stdout(full()).stderr(full()).spawn().unwrap();
        assert_eq!(soon("the end", child.wait()).await.unwrap().code(), Some(1), "{arguments:?}");
    }
}

#[tokio::test]
async fn check_verbose_says_how_often_frames_are_made() {
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
    let said = text(&output.stdout).split_once('\n').unwrap().1;
    let expected = "  GET /live, answer 1: frame made once for all members
  /rooms/{room}: frame made once for all members
  /rooms/{room}, open: frame made once for members with the same path, query
  /rooms/{room}, rule 1: frame made for each member, because it uses conn
";
    assert_eq!(said, expected);
}

#[tokio::test]
async fn check_says_ok_for_each_file_and_ends_with_0() {
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
async fn check_goes_on_after_a_broken_file_and_ends_with_1() {
    let broken = ScenarioFile::new("categories: 3\n");
    let output = run(&["check", broken.path().to_str().unwrap(), "nope.yaml", "scenarios/shop.yaml"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("scenarios/shop.yaml: ok"));
    assert!(text(&output.stderr).contains(":1:13"));
    assert!(text(&output.stderr).contains("cannot read nope.yaml"));
}

#[cfg(unix)]
#[tokio::test]
async fn quiet_prints_nothing_and_verbose_logs_requests() {
    let file = ScenarioFile::new(SHOP);
    let mut verbose = Mockd::run_with(file.path(), &["-v"]).await;
    verbose.get("/electronics").await;
    verbose.logged("\"uri\":\"/electronics\"").await;
    let port = Port::free();
    let mut child = command(&["run", file.path().to_str().unwrap(), "--port", &port.to_string(), "-q"]);
    let mut child = child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    listens(&port).await;
    file.write_in_place("broken: [");
    let mut stderr = tokio::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    // What it has to say even then is the first thing it says.
    soon("a report", tokio::io::AsyncBufReadExt::read_line(&mut stderr, &mut line)).await.unwrap();
    assert!(line.contains("is broken, still serving the last good scenario"), "{line}");
    let pid = child.id().unwrap();
    signal(pid, "TERM");
    let mut said = String::new();
    let read = tokio::io::AsyncReadExt::read_to_string(&mut child.stdout.take().unwrap(), &mut said).await;
    assert_eq!((read.unwrap(), said.as_str()), (0, ""));
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
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said, expected);
}

#[tokio::test]
async fn check_reports_as_annotations_of_a_pull_request() {
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

/// Runs `mockd check` on a file of these bytes with at most 1 GiB of memory, and gives its report.
#[cfg(unix)]
async fn check_bytes(bytes: &[u8]) -> (Option<i32>, String) {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("wild.yaml");
    std::fs::write(&path, bytes).unwrap();
    let mut shell = tokio::process::Command::new("sh");
    let script = format!("ulimit -v 1048576; exec {} check {}", env!("CARGO_BIN_EXE_mockd"), path.display());
    let output = soon("the end of check", shell.args(["-c", &script]).kill_on_drop(true).output()).await.unwrap();
    (output.status.code(), text(&output.stderr).to_owned())
}

#[cfg(unix)]
#[tokio::test]
async fn wild_files_are_refused_with_a_report_and_without_much_memory() {
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
            "aliases unfold into more than",
        ),
        (
            "aliases of wrong keys",
            aliases("random", format!("{{ every: 1s, {} }}", keys(5_000, "k#: 1"))),
            "aliases unfold into more than",
        ),
        (
            "aliases of weights",
            aliases("random", format!("{{ every: 1s, products: {{ weights: {{ {} }} }} }}", keys(5_000, "T#: 1"))),
            "aliases unfold into more than",
        ),
        (
            "aliases of steps",
            aliases("scripts", format!("{{ steps: [{}] }}", keys(5_000, "{ product: T1, amount: 1 }"))),
            "aliases unfold into more than",
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
async fn line_ends_of_windows_and_a_byte_order_mark_are_right() {
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
    let unwanted = soon("a report", on_terminal("NO_COLOR=1").output()).await.unwrap().stdout;
    assert!(!text(&unwanted).contains('\x1b') && text(&unwanted).contains("found the number"), "{}", text(&unwanted));
    let mut piped = tokio::process::Command::new("sh");
    let piped = soon("a report", piped.args(["-c", &check]).env_remove("NO_COLOR").output()).await.unwrap().stderr;
    assert!(!text(&piped).contains('\x1b') && text(&piped).contains("found the number"), "{}", text(&piped));
}

#[tokio::test]
async fn play_prints_every_event_as_a_line_of_json_and_the_same_on_every_run() {
    let file = ScenarioFile::new(
        "seed: 42
categories: { toys: { prefix: T, products: [{ id: T1 }, { id: T2, total: 10 }] } }
orders:
  random: [{ every: 1s, amount: { min: 1, max: 7 } }]
  scripts: [{ steps: [{ at: 1500ms, add: { category: toys, product: { name: Kite, total: 4 } } }, { after: 1s, remove: { product: T3 } }, { product: T3, amount: 1 }] }]
",
    );
    let path = file.path().to_str().unwrap();
    let expected = r#"{"at":"1s","sequence":1,"event":"total","id":"T2","category":"toys","total":17}
{"at":"1s500ms","sequence":2,"event":"added","id":"T3","category":"toys"}
{"at":"1s500ms","sequence":3,"event":"total","id":"T3","category":"toys","total":4}
{"at":"2s","sequence":4,"event":"total","id":"T2","category":"toys","total":22}
{"at":"2s500ms","sequence":5,"event":"removed","id":"T3","category":"toys"}
{"at":"2s500ms","sequence":6,"event":"skipped","reason":"Order T3 not found"}
{"at":"3s","sequence":7,"event":"total","id":"T1","category":"toys","total":2}
"#;
    for _ in 0..2 {
        let output = run(&["play", path, "--until", "3s"]).await;
        assert_eq!((output.status.code(), text(&output.stdout), text(&output.stderr)), (Some(0), expected, ""));
    }
    let other = run(&["play", path, "--until", "3s", "--seed", "7"]).await;
    assert_ne!(text(&other.stdout), expected);
}

#[tokio::test]
async fn play_says_the_seed_that_it_took_so_that_a_run_can_be_repeated() {
    let output = run(&["play", "scenarios/shop.yaml", "--until", "10m"]).await;
    let said = text(&output.stderr);
    let seed = said.strip_prefix("seed ").unwrap().split(';').next().unwrap();
    assert_eq!(said, format!("seed {seed}; --seed {seed} plays the same again\n"));
    let again = run(&["play", "scenarios/shop.yaml", "--until", "10m", "--seed", seed]).await;
    assert_eq!(text(&again.stdout).lines().count(), 400);
    assert_eq!(again.stdout, output.stdout);
}

#[tokio::test]
async fn play_says_if_nothing_is_scheduled() {
    let answers = "data: { todos: [] }\nhttp: { /todos: { crud: todos } }\n";
    let later = "data: { n: 0 }\nscripts: [{ steps: [{ at: 2m, set: { n: 1 } }] }]\n";
    for (text_of_file, until, said) in [
        (answers, "1m", "nothing is scheduled in {}: it only answers clients; `mockd run {}` serves it\n"),
        (later, "1m", "nothing is scheduled in {} until 1m: the first action is due at 2m; use a longer --until\n"),
        (later, "2m", "seed "),
    ] {
        let file = ScenarioFile::new(text_of_file);
        let path = file.path().to_str().unwrap();
        let output = run(&["play", path, "--until", until]).await;
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stderr).starts_with(&said.replace("{}", path)), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1);
        assert_eq!(text(&output.stdout).is_empty(), until == "1m");
    }
}

#[tokio::test]
async fn play_refuses_what_it_cannot_play() {
    let output = run(&["play", "scenarios/shop.yaml", "--until", "soon"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`soon` is not a duration"), "{}", text(&output.stderr));
    refuses(&["play", "nope.yaml"], "cannot read nope.yaml: there is no such file").await;
}
