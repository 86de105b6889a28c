//! The version, the help, completions and manual pages.

use super::{run, text};

/// Runs a command that must succeed and returns its standard output.
async fn printed(arguments: &[&str]) -> String {
    let output = run(arguments).await;
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments:?}");
    text(&output.stdout).to_owned()
}

#[tokio::test]
async fn the_version_includes_the_commit_and_the_date_if_any() {
    let version = printed(&["--version"]).await;
    let rest = version.strip_prefix("mockd 0.1.0").unwrap().strip_suffix('\n').unwrap();
    if rest.is_empty() {
        return;
    }
    let (commit, date) = rest.strip_prefix(" (").unwrap().strip_suffix(')').unwrap().split_once(' ').unwrap();
    assert!(commit.len() >= 7 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{version}");
    let parts: Vec<u32> = date.split('-').map(|part| part.parse().unwrap()).collect();
    assert!(parts.len() == 3 && (1..=12).contains(&parts[1]) && (1..=31).contains(&parts[2]), "{version}");
}

#[tokio::test]
async fn the_flags_of_run_are_grouped() {
    for flag in ["-h", "--help"] {
        let help = printed(&["run", flag]).await;
        let headings = ["Basics:", "Time and tests:", "Access:", "Limits:", "Several servers:"];
        let positions =
            headings.map(|heading| help.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("{help}")));
        assert!(positions.is_sorted(), "{help}");
        for (flag, heading) in [
            ("--port", 0),
            ("--log-format", 0),
            ("--paused", 1),
            ("--exit-after", 1),
            ("--allow-host", 2),
            ("--max-body", 3),
            ("--journal", 3),
            ("--publish", 4),
        ] {
            let at = help.find(&format!(" {flag}")).unwrap_or_else(|| panic!("{flag}: {help}"));
            assert_eq!(positions.partition_point(|position| *position < at), heading + 1, "{flag}: {help}");
        }
    }
}

#[tokio::test]
async fn completions_include_the_commands_and_flags() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]).await;
        for word in ["completions", "explain", "peer-timeout"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[tokio::test]
async fn man_prints_a_page_for_mockd_and_for_each_command() {
    // Roff escapes hyphens.
    let page = async |arguments: &[&str]| printed(arguments).await.replace('\\', "");
    let of_mockd = page(&["man"]).await;
    assert!(of_mockd.contains("\n.TH mockd 1 ") && of_mockd.contains("\nmockd-run(1)\n"), "{of_mockd}");
    let of_run = page(&["man", "run"]).await;
    assert!(of_run.contains("\n.TH mockd-run 1 ") && of_run.contains("--max-body"), "{of_run}");
    let output = run(&["man", "nothing"]).await;
    let message = "error: mockd has no command `nothing`; `mockd --help` lists the commands\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), message));
}
