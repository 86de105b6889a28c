//! The pages of the reference that mockd prints itself, and `mockd help`.

use crate::support::{command, soon};

async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = soon("the end of mockd", command(arguments).output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn the_pages_of_the_reference_are_what_mockd_prints() {
    for (name, file) in [("schema", "language"), ("openapi", "control-api"), ("help", "cli")] {
        let path = format!("docs/content/reference/{file}.md");
        let kept = std::fs::read_to_string(&path).unwrap();
        let (code, printed, _) = run(&[name, "--format", "markdown"]).await;
        assert_eq!((code, printed == kept), (Some(0), true), "mockd {name} --format markdown > {path}");
    }
}

#[tokio::test]
async fn help_prints_what_the_flag_of_each_command_prints() {
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
async fn help_for_a_command_that_does_not_exist_is_an_error() {
    let (code, said, error) = run(&["help", "serve"]).await;
    assert_eq!((code, said.as_str()), (Some(2), ""));
    assert!(error.starts_with("error: unrecognized subcommand 'serve'\n"), "{error}");
}
