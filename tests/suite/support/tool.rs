//! Tools that some tests need in addition to Rust. If a tool is missing, its tests are skipped, or fail if
//! `MOCKD_TESTS` is `all`.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// If set to `all`, tests whose tools are missing fail. `tests/run` sets it.
const TESTS: &str = "MOCKD_TESTS";

/// A tool that is installed separately.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tool {
    /// axe-core, which checks a page's accessibility.
    Axe,
    /// Chromium or Chrome, and chromedriver.
    Browser,
    /// curl(1).
    Curl,
    /// git(1).
    Git,
    /// IPv6 on the loopback interface.
    Ipv6,
    /// The YAML language server, and Node.js.
    LanguageServer,
    /// User and network namespaces: unshare(1), nsenter(1) and ip(8), and the right to use them.
    Namespaces,
    /// The npm packages `graphql-ws`, `phoenix`, `socket.io-client` and `ws`, and Node.js.
    LiveClients,
    /// The Python package `maturin` in a virtual environment, and the wheels of pytest.
    Maturin,
    /// Node.js.
    Node,
    /// npm and Node.js.
    Npm,
    /// The npm package `openai`, and Node.js.
    OpenAi,
    Pytest,
    Python,
    Redis,
    Schemathesis,
    /// The util-linux programs script(1), setsid(1) and prlimit(1).
    UtilLinux,
    /// The Python package `websockets` in a virtual environment.
    Websockets,
}

impl Tool {
    /// Returns the path where `tests/run` installs the tool, or the name of a program on the `PATH` if the system has a
    /// package for it.
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

    fn is_available(self) -> bool {
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
                // Containers and hardened systems have the programs, but not the permission.
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
            Self::Namespaces => "unshare, nsenter and ip, with permission to create namespaces",
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

/// Returns whether all tools are available. Reports the first missing one on stderr, which the test harness does not
/// capture here.
///
/// # Panics
///
/// If a tool is missing and `MOCKD_TESTS` is `all`.
pub(crate) fn are_available(tools: &[Tool]) -> bool {
    let Some(missing) = tools.iter().find(|tool| !tool.is_available()) else { return true };
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

/// Returns from a test if one of these [tools](Tool) is missing.
macro_rules! needs {
    ($($tool:ident),+) => {
        if !$crate::support::are_available(&[$($crate::support::Tool::$tool),+]) {
            return;
        }
    };
}

pub(crate) use needs;
