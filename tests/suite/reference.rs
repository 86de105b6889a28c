//! The reference pages that mockd prints, the examples on the page about a shop's API, and `mockd help`.

use std::path::Path;

use crate::support::{Mockd, command, needs, soon};

async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = soon("the end of mockd", command(arguments).output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn the_reference_pages_are_up_to_date() {
    for (name, file) in [("schema", "language"), ("openapi", "control-api"), ("help", "cli")] {
        let path = format!("docs/content/reference/{file}.md");
        let saved = std::fs::read_to_string(&path).unwrap();
        let (code, printed, _) = run(&[name, "--format", "markdown"]).await;
        assert_eq!((code, printed == saved), (Some(0), true), "mockd {name} --format markdown > {path}");
    }
}

#[tokio::test]
async fn help_prints_the_same_as_the_help_flag() {
    let (code, all, _) = run(&["help"]).await;
    assert_eq!((code, all), (Some(0), run(&["--help"]).await.1));
    for name in ["run", "play", "check", "init", "explain", "schema", "openapi", "help"] {
        let (code, help, error) = run(&["help", name]).await;
        assert_eq!((code, error.as_str()), (Some(0), ""));
        assert_eq!(help, run(&[name, "--help"]).await.1);
        assert!(help.contains(&format!("Usage: mockd {name}")), "{help}");
    }
}

#[tokio::test]
async fn help_for_an_unknown_command_is_an_error() {
    let (code, stdout, error) = run(&["help", "serve"]).await;
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(error.starts_with("error: unrecognized subcommand 'serve'\n"), "{error}");
}

#[tokio::test]
async fn the_shops_api_answers_as_documented() {
    needs!(Curl);
    let page = std::fs::read_to_string("docs/content/reference/http-and-frames.md").unwrap();
    let mockd = Mockd::run_with(Path::new("scenarios/webhook.yaml"), &[]).await;
    let lines: Vec<&str> = page.lines().collect();
    let shown = lines.windows(2).filter_map(|pair| Some((pair[0].strip_prefix("$ curl ")?, pair[1])));
    let mut count = 0;
    for (arguments, answer) in shown {
        let line = format!("curl -s {}", arguments.replace("localhost:3000", mockd.address()));
        let mut shell = tokio::process::Command::new("bash");
        let output = soon("curl", shell.args(["-c", &line]).kill_on_drop(true).output()).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), answer, "{line}");
        count += 1;
    }
    assert_eq!(count, 5);
}
