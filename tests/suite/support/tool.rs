//! What some tests need beyond Rust. Where it is missing they are skipped, or fail if `MOCKD_TESTS` is `all`.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Set to `all`, it makes a test fail whose tools are missing. `tests/run` sets it.
const TESTS: &str = "MOCKD_TESTS";

/// Something that is installed apart from Rust.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tool {
    /// axe-core, which finds what keeps people from using a page.
    Axe,
    /// Chromium or Chrome, and chromedriver.
    Browser,
    /// curl(1).
    Curl,
    /// git(1).
    Git,
    /// IPv6 on the loopback interface.
    Ipv6,
    /// The YAML language server, and node, which runs it.
    LanguageServer,
    /// User and network namespaces: unshare(1), nsenter(1) and ip(8), and the right to use them.
    Namespaces,
    /// The npm packages `graphql-ws`, `phoenix`, `socket.io-client` and `ws`, and node, which runs them.
    LiveClients,
    /// The Python package `maturin`, beside the Python that has it and the wheels of pytest.
    Maturin,
    /// Node.js.
    Node,
    /// npm, and node, which runs it.
    Npm,
    /// The npm package `openai`, and node, which runs it.
    OpenAi,
    Pytest,
    Python,
    Redis,
    Schemathesis,
    /// What Linux has for a terminal or a process: script(1), setsid(1), prlimit(1).
    UtilLinux,
    /// The Python package `websockets`, beside the Python that has it.
    Websockets,
}

impl Tool {
    /// Where `tests/run` puts what the system has no package of; the name of a program on the `PATH` otherwise.
    pub(crate) fn path(self) -> PathBuf {
        let local = |path: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(path);
        match self {
            Self::Axe => local("axe/node_modules/axe-core/axe.min.js"),
            Self::Browser => "chromedriver".into(),
            Self::Curl => "curl".into(),
            Self::Git => "git".into(),
            Self::Ipv6 => PathBuf::new(),
            Self::LanguageServer => local("editor/node_modules/.bin/yaml-language-server"),
            Self::LiveClients => local("live-clients"),
            Self::Namespaces => "unshare".into(),
            Self::Maturin => local("python/bin/maturin"),
            Self::Node => "node".into(),
            Self::Npm => "npm".into(),
            Self::OpenAi => local("openai/node_modules/openai"),
            Self::Pytest => local("python/bin/pytest"),
            Self::Python => "python3".into(),
            Self::Redis => "redis-server".into(),
            Self::Schemathesis => local("python/bin/schemathesis"),
            Self::UtilLinux => "script".into(),
            Self::Websockets => local("python/bin/websockets"),
        }
    }

    fn is_there(self) -> bool {
        let path = self.path();
        match self {
            Self::Axe | Self::Pytest | Self::Schemathesis | Self::Websockets => path.exists(),
            Self::LiveClients => path.join("node_modules/phoenix").exists() && is_program("node"),
            Self::LanguageServer | Self::OpenAi => path.exists() && is_program("node"),
            Self::Maturin => path.exists() && path.with_file_name("../wheels").exists(),
            Self::Npm => is_program(path) && is_program("node"),
            Self::Browser => {
                is_program(path) && ["chromium", "chromium-browser", "google-chrome"].iter().any(is_program)
            }
            Self::Curl | Self::Git | Self::Node | Self::Python | Self::Redis => is_program(path),
            Self::Ipv6 => std::net::TcpListener::bind("[::1]:0").is_ok(),
            Self::Namespaces => {
                // Containers and hardened systems have the programs, but not the right.
                let mut command = Command::new(path);
                command.args([
                    "--user",
                    "--map-root-user",
                    "--net",
                    "sh",
                    "-c",
                    "ip link set lo up && nsenter --version",
                ]);
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                command.status().is_ok_and(|status| status.success())
            }
            Self::UtilLinux => cfg!(target_os = "linux") && ["script", "setsid", "prlimit"].iter().all(is_program),
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Axe => "axe-core below target/axe",
            Self::Browser => "chromium with chromedriver",
            Self::Curl => "curl",
            Self::Git => "git",
            Self::Ipv6 => "IPv6 on loopback",
            Self::LanguageServer => "node with yaml-language-server below target/editor",
            Self::LiveClients => "node with graphql-ws, phoenix, socket.io-client and ws below target/live-clients",
            Self::Namespaces => "unshare, nsenter and ip, with the right to make namespaces",
            Self::Maturin => "maturin and the wheels of pytest below target/python",
            Self::Node => "node",
            Self::Npm => "npm",
            Self::OpenAi => "node with openai below target/openai",
            Self::Pytest => "pytest below target/python",
            Self::Python => "python3",
            Self::Redis => "redis-server",
            Self::Schemathesis => "schemathesis below target/python",
            Self::UtilLinux => "script, setsid and prlimit of util-linux",
            Self::Websockets => "websockets below target/python",
        })
    }
}

/// Says whether the tools are there. If not, says so on stderr, past what the test harness captures.
///
/// # Panics
///
/// If they are not, and every test is to run.
pub(crate) fn are_there(tools: &[Tool]) -> bool {
    let Some(missing) = tools.iter().find(|tool| !tool.is_there()) else { return true };
    assert!(std::env::var_os(TESTS).is_none_or(|tests| tests != "all"), "missing: {missing}; tests/run installs it");
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "skipped {test}, missing: {missing}; tests/run installs it");
    false
}

fn is_program(name: impl AsRef<OsStr>) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .any(|folder| folder.join(name.as_ref()).with_extension(std::env::consts::EXE_EXTENSION).is_file())
}

/// Ends a test at once if one of these [tools](Tool) is missing.
macro_rules! needs {
    ($($tool:ident),+) => {
        if !$crate::support::are_there(&[$($crate::support::Tool::$tool),+]) {
            return;
        }
    };
}

pub(crate) use needs;
