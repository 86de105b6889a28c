//! The ways to install mockd: npm, a wheel, a container, a GitHub action, and a catalog for editors. The
//! packages contain the binary that the other tests run.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{accepted, schema_errors};
#[cfg(unix)]
use {
    crate::support::{Mockd, Tool, command, needs, soon},
    std::ffi::OsString,
    std::process::Output,
    tempfile::TempDir,
    tokio::process::Command,
};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn yaml(path: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(project(path)).unwrap()).unwrap()
}

fn json_file(path: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(project(path)).unwrap()).unwrap()
}

/// Returns a `PATH` that starts with the directory of the mockd binary.
#[cfg(unix)]
fn path_with_program() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_mockd")).parent().unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(program).chain(std::env::split_paths(&inherited))).unwrap()
}

/// Returns a `PATH` without the user's Rust toolchain: the directory of Node.js and the system's directories.
#[cfg(unix)]
fn path_without_rust() -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let node = std::env::split_paths(&inherited).find(|folder| folder.join("node").is_file());
    std::env::join_paths(node.into_iter().chain(["/usr/bin", "/bin"].map(PathBuf::from))).unwrap()
}

/// Creates a folder with one scenario.
#[cfg(unix)]
fn shop_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::copy(project("scenarios/shop.yaml"), folder.path().join("shop.yaml")).unwrap();
    folder
}

/// Runs a command that must succeed, and returns its stdout. Unsets `MOCKD_BINARY`, so that the command uses the
/// installed binary.
#[cfg(unix)]
async fn stdout_of(command: &mut Command) -> String {
    let output: Output = soon("the end", command.env_remove("MOCKD_BINARY").kill_on_drop(true).output()).await.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {stdout}{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

/// Returns the binary without debug information, as the packages contain it.
#[cfg(unix)]
async fn stripped(folder: &TempDir) -> PathBuf {
    // On macOS, debug information is in separate files, and a stripped binary would have to be signed again.
    if cfg!(target_os = "macos") {
        return env!("CARGO_BIN_EXE_mockd").into();
    }
    let program = folder.path().join("stripped");
    stdout_of(Command::new("strip").arg("-o").arg(&program).arg(env!("CARGO_BIN_EXE_mockd"))).await;
    program
}

/// Builds the npm packages from this binary, and returns a folder into which npm has installed them.
#[cfg(unix)]
async fn npm_installed() -> TempDir {
    let (folder, packages) = (shop_folder(), TempDir::new().unwrap());
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let cpu = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let program = format!("{system}-{cpu}={}", stripped(&packages).await.display());
    let mut build = Command::new("node");
    stdout_of(build.arg(project("packaging/npm/build.mjs")).arg(packages.path()).arg(program)).await;
    // Without it, npm searches the parent folders for a project.
    fs::write(folder.path().join("package.json"), "{}").unwrap();
    let package = |name: &str| packages.path().join(format!("{name}-{}.tgz", env!("CARGO_PKG_VERSION")));
    let mut install = Command::new("npm");
    install.args(["install", "--offline", "--no-audit", "--no-fund", "--silent"]).current_dir(folder.path());
    stdout_of(install.arg(package("mockd")).arg(package(&format!("mockd-{system}-{cpu}")))).await;
    folder
}

/// A script that uses the installed client.
#[cfg(unix)]
const WITH_CLIENT: &str = r#"
import { startMockd } from "mockd";
const mockd = await startMockd({ scenario: "shop.yaml", paused: true, seed: 42 });
console.log((await mockd.defaultWorld.clock.advance("10s")).count);
await mockd.stop();
"#;

#[cfg(unix)]
#[tokio::test]
async fn the_npm_package_has_the_program_and_the_client() {
    needs!(Npm);
    let folder = npm_installed().await;
    let mut npx = Command::new("npx");
    npx.args(["mockd", "check", "shop.yaml"]).current_dir(folder.path()).env("PATH", path_without_rust());
    assert!(stdout_of(&mut npx).await.starts_with("shop.yaml: ok"));

    let mut launcher = Command::new(folder.path().join("node_modules/.bin/mockd"));
    launcher
        .args(["run", "shop.yaml", "--port", "0", "--log-format", "json", "--exit-with-parent"])
        .current_dir(folder.path());
    launcher.env("PATH", path_without_rust()).env_remove("MOCKD_BINARY").kill_on_drop(true);
    let mockd = Mockd::start(launcher).await;
    assert!(mockd.get("/electronics").await.text.contains("Vacuum Cleaner"));
    mockd.signal("TERM");
    assert!(mockd.ended().await.success());

    fs::write(folder.path().join("client.mjs"), WITH_CLIENT).unwrap();
    let mut client = Command::new("node");
    client.arg("client.mjs").current_dir(folder.path()).env("PATH", path_without_rust());
    assert_eq!(stdout_of(&mut client).await, "6\n");
}

#[cfg(unix)]
#[tokio::test]
async fn the_npm_launcher_reports_a_missing_binary() {
    needs!(Node);
    let mut launcher = Command::new("node");
    launcher.arg(project("clients/js/bin/mockd.js")).env_remove("MOCKD_BINARY").kill_on_drop(true);
    let output = soon("the end", launcher.output()).await.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("is not installed; install again without --omit=optional, or set MOCKD_BINARY"),
        "{stderr}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_wheel_has_the_program_the_client_and_the_plugin() {
    needs!(Maturin);
    let (folder, wheels) = (shop_folder(), TempDir::new().unwrap());
    let python = Tool::Maturin.path().with_file_name("python");
    let mut build = Command::new(&python);
    build.arg(project("packaging/python/build.py")).arg(wheels.path()).arg(stripped(&wheels).await);
    stdout_of(&mut build).await;
    stdout_of(Command::new(&python).args(["-m", "venv"]).arg(folder.path().join("venv"))).await;
    let installed = |program: &str| {
        let mut command = Command::new(folder.path().join("venv/bin").join(program));
        command.current_dir(folder.path()).env("PATH", path_without_rust()).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    let mut install = installed("pip");
    install.args(["install", "--quiet", "--disable-pip-version-check", "--no-index", "--find-links"]);
    stdout_of(
        install.arg(wheels.path()).arg("--find-links").arg(project("target/python/wheels")).args(["mockd", "pytest"]),
    )
    .await;
    assert!(stdout_of(installed("mockd").args(["check", "shop.yaml"])).await.starts_with("shop.yaml: ok"));
    let test = "def test_orders_come_in(mockd_world):\n    assert mockd_world.clock.advance('10s')['count'] == 6\n";
    fs::write(folder.path().join("test_shop.py"), test).unwrap();
    let quiet = ["-q", "-p", "no:cacheprovider"];
    let output =
        stdout_of(installed("pytest").args(quiet).args(["--mockd-scenario", "shop.yaml", "test_shop.py"])).await;
    assert!(output.contains("1 passed"), "{output}");
    for file in ["test_client.py", "test_plugin.py"] {
        let all = stdout_of(installed("pytest").args(quiet).arg(project("clients/python/tests").join(file))).await;
        assert!(!all.contains("skipped"), "{all}");
    }
}

/// Returns the arguments of an instruction in the Dockerfile, such as `CMD ["run"]`.
#[cfg(unix)]
fn dockerfile_arguments(instruction: &str) -> Vec<String> {
    let file = fs::read_to_string(project("packaging/Dockerfile")).unwrap();
    let line = file.lines().rfind(|line| line.starts_with(instruction)).unwrap();
    serde_json::from_str(&line[line.find('[').unwrap()..]).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn the_container_serves_mounted_scenarios_and_is_healthy() {
    let mounted = shop_folder();
    let mut arguments = dockerfile_arguments("CMD");
    let scenarios = arguments.iter_mut().find(|argument| *argument == "/scenarios").unwrap();
    mounted.path().to_str().unwrap().clone_into(scenarios);
    arguments.extend(["--port", "0", "--log-format", "json"].map(str::to_owned));
    let mockd = Mockd::start(command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())).await;
    let url = format!("http://127.0.0.1:{}", mockd.port());

    let health = dockerfile_arguments("HEALTHCHECK");
    let [program, subcommand, checked] = &health[..] else { panic!("{health:?}") };
    assert_eq!(
        (std::slice::from_ref(program), checked.as_str()),
        (&dockerfile_arguments("ENTRYPOINT")[..], "http://127.0.0.1:3000")
    );
    stdout_of(&mut command(&[subcommand, &url])).await;

    let saved = crate::support::SHOP.replace("Vacuum Cleaner", "Broom");
    fs::write(mounted.path().join("shop.yaml"), saved).unwrap();
    mockd.until("/electronics", |products| products[0]["name"] == "Broom").await;
}

#[cfg(unix)]
#[test]
fn the_compose_file_runs_mockd_as_the_container_does() {
    let compose = yaml("packaging/compose.yaml");
    let (command, all) = (&compose["services"]["mockd"]["command"], dockerfile_arguments("CMD"));
    let words: Vec<&str> = command.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let (file, flags) = words.split_last().unwrap();
    assert_eq!(flags, &all[..all.len() - 1]);
    let mounted = compose["services"]["mockd"]["volumes"][0].as_str().unwrap().split(':').next().unwrap();
    let served = file.strip_prefix("/scenarios").unwrap();
    assert!(project("packaging").join(format!("{mounted}{served}")).is_file(), "{mounted}{served}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_action_serves_the_scenario_and_outputs_its_url() {
    needs!(Curl);
    let (action, folder) = (yaml("action.yml"), shop_folder());
    let steps = action["runs"]["steps"].as_array().unwrap();
    let start = steps.iter().find(|step| step["id"] == "start").unwrap();
    let run = |name: &'static str| steps.iter().find(|step| step["name"] == name).unwrap()["run"].as_str().unwrap();
    // Both steps, then a request as a later step sends it, then a signal that stops mockd.
    let script = format!(
        "{}{}\ncurl -sf \"$(sed s/^url=// \"$GITHUB_OUTPUT\")/@a/electronics\"\nkill $!\nwait $!\n",
        run("Install mockd"),
        run("Start mockd")
    );
    assert_eq!(action["outputs"]["url"]["value"], "${{ steps.start.outputs.url }}");
    let inputs = [("scenario", "shop.yaml"), ("port", "0"), ("args", "--paused --seed 42")];
    let mut shell = Command::new("bash");
    shell.args(["-eo", "pipefail", "-c", &script]).current_dir(folder.path());
    for (name, value) in inputs {
        let variable =
            start["env"].as_object().unwrap().iter().find(|(_, from)| **from == format!("${{{{ inputs.{name} }}}}"));
        shell.env(variable.unwrap().0, value);
    }
    shell.env("PATH", path_with_program()).env("RUNNER_TEMP", folder.path());
    let stdout = stdout_of(shell.env("GITHUB_OUTPUT", folder.path().join("output"))).await;
    assert!(stdout.contains("seed 42") && stdout.contains("Vacuum Cleaner"), "{stdout}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_action_fails_with_mockds_message() {
    let (action, folder) = (yaml("action.yml"), TempDir::new().unwrap());
    let steps = action["runs"]["steps"].as_array().unwrap();
    let run = steps.iter().find(|step| step["id"] == "start").unwrap()["run"].as_str().unwrap();
    let mut shell = Command::new("bash");
    shell.args(["-eo", "pipefail", "-c", run]).current_dir(folder.path()).env("PATH", path_with_program());
    shell.env("RUNNER_TEMP", folder.path()).env("GITHUB_OUTPUT", folder.path().join("output"));
    shell.envs([("SCENARIO", "nope.yaml"), ("PORT", "0"), ("ARGS", "")]).kill_on_drop(true);
    let output = soon("the step", shell.output()).await.unwrap();
    assert!(!output.status.success());
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("cannot read nope.yaml: there is no such file"), "{stdout}");
}

#[test]
fn all_packages_have_the_programs_version() {
    assert_eq!(json_file("clients/js/package.json")["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(yaml("action.yml")["inputs"]["version"]["default"], env!("CARGO_PKG_VERSION"));
}

/// Returns the scenarios in a folder below `packaging/schemastore`.
fn catalog_scenarios(folder: &str) -> Vec<String> {
    let files = fs::read_dir(project("packaging/schemastore").join(folder)).unwrap();
    files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn the_schema_passes_the_catalogs_tests() {
    let (valid, invalid) = (catalog_scenarios("test"), catalog_scenarios("negative_test"));
    assert!(!valid.is_empty() && !invalid.is_empty());
    for scenario in valid {
        accepted(&scenario);
    }
    for scenario in invalid {
        assert!(schema_errors(&scenario).is_some(), "{scenario}");
    }
}

#[test]
fn editors_find_the_schema_by_file_extension() {
    let catalog = json_file("packaging/schemastore/catalog-entry.json");
    let settings = json_file("packaging/schemastore/vscode-settings.json");
    let patterns = json!(["*.mockd.yaml", "*.mockd.yml", "*.mockd.json"]);
    assert_eq!(catalog["fileMatch"], patterns);
    let in_settings = [&settings["yaml.schemas"]["./mockd.schema.json"], &settings["json.schemas"][0]["fileMatch"]];
    let in_settings = in_settings.into_iter().filter_map(Value::as_array).flatten().cloned();
    assert_eq!(in_settings.collect::<Value>(), patterns);
}
