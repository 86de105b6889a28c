//! No way of saving a file loses state: a slow write is applied once it is complete, and a removal only once no other
//! save follows.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::support::{Mockd, SHOP, ScenarioFile, Socket, needs};

/// Log messages that never appear during a save.
const UNEXPECTED: [&str; 4] = ["is broken", "there is no such file", "removed", "no file event"];

/// The line that a save appends to the shop.
const LONGER: &str = "      - { id: B2, name: Fudge, total: 9 }\n";

/// A shop in which the total of A1 differs from the file's, and a socket that has received it.
struct Ordered {
    mockd: Mockd,
    live: Socket,
}

impl Ordered {
    async fn new(path: &Path, arguments: &[&str]) -> Self {
        let mockd = Mockd::run_with(path, arguments).await;
        mockd.order("A1", 1).await;
        let mut live = mockd.live("electronics").await;
        live.texts(2).await;
        Self { mockd, live }
    }

    /// Asserts that the next reload adds B2 and changes nothing else. Returns the log up to the reload.
    async fn assert_reloaded_once(mut self) -> Vec<String> {
        let log = self.mockd.log_until("reloaded").await;
        assert!(log.last().unwrap().ends_with(": B2 added"), "{log:?}");
        assert_clean(&log);
        assert_eq!(self.live.order().await, ("B2".into(), 9));
        self.assert_total_kept().await;
        log
    }

    /// Asserts that the total of A1 and the socket are unaffected.
    async fn assert_total_kept(mut self) {
        self.mockd.order("A1", 1).await;
        assert_eq!(self.live.order().await, ("A1".into(), 5));
    }
}

fn assert_clean(log: &[String]) {
    assert!(!log.iter().any(|message| UNEXPECTED.iter().any(|text| message.contains(text))), "{log:#?}");
}

fn longer() -> String {
    format!("{SHOP}{LONGER}")
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_slow_write_causes_one_reload_and_loses_no_total() {
    for (pieces, pause) in [(40, 20), (12, 150), (3, 1000)] {
        let file = ScenarioFile::new(SHOP);
        let ordered = Ordered::new(file.path(), &[]).await;
        file.write_slowly(&longer(), pieces, Duration::from_millis(pause)).await;
        ordered.assert_reloaded_once().await;
    }
}

#[tokio::test]
async fn a_slow_write_to_a_polled_file_loses_no_total() {
    for (pieces, pause) in [(40, 20), (12, 150)] {
        let file = ScenarioFile::new(SHOP);
        let ordered = Ordered::new(file.path(), &["--poll"]).await;
        file.write_slowly(&longer(), pieces, Duration::from_millis(pause)).await;
        ordered.assert_reloaded_once().await;
    }
}

#[tokio::test]
async fn a_briefly_empty_file_is_not_reported_as_broken() {
    let arguments: &[&[&str]] = if cfg!(target_os = "linux") { &[&[], &["--poll"]] } else { &[&["--poll"]] };
    for arguments in arguments {
        let file = ScenarioFile::new(SHOP);
        let ordered = Ordered::new(file.path(), arguments).await;
        file.write_slowly(&longer(), 1, Duration::from_millis(1400)).await;
        let log = ordered.assert_reloaded_once().await;
        let waiting = format!("waiting until {} is completely written", file.path().display());
        assert_eq!(log.iter().filter(|message| **message == waiting).count(), 1, "{log:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_output_of_a_python_program_is_applied_at_its_end() {
    needs!(Python);
    let file = ScenarioFile::new(SHOP);
    let ordered = Ordered::new(file.path(), &[]).await;
    let program = "import sys, time
for line in sys.argv[1].splitlines():
    print(line, flush=True)
    time.sleep(0.02)
";
    let mut python = Command::new("python3");
    python.args(["-c", program, &longer()]).stdout(fs::File::create(file.path()).unwrap());
    assert!(tokio::task::spawn_blocking(move || python.status()).await.unwrap().unwrap().success());
    ordered.assert_reloaded_once().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_node_write_stream_is_applied_at_its_end() {
    needs!(Node);
    let file = ScenarioFile::new(SHOP);
    let ordered = Ordered::new(file.path(), &[]).await;
    let program = "const [path, text] = process.argv.slice(1);
const stream = require('fs').createWriteStream(path);
const lines = text.split('\\n').map((line, at, all) => at + 1 < all.length ? line + '\\n' : line);
const next = () => lines.length ? stream.write(lines.shift(), () => setTimeout(next, 20)) : stream.end();
next();
";
    let mut node = Command::new("node");
    node.args(["-e", program]).arg(file.path()).arg(longer());
    assert!(tokio::task::spawn_blocking(move || node.status()).await.unwrap().unwrap().success());
    ordered.assert_reloaded_once().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_being_written_delays_no_switch_and_no_shutdown() {
    let file = ScenarioFile::new(SHOP);
    let other = file.directory().join("other.yaml");
    fs::write(&other, longer()).unwrap();
    let mut mockd = Mockd::run_with(file.path(), &[other.to_str().unwrap()]).await;
    let writer = fs::File::create(file.path()).unwrap();
    mockd.logged("waiting until").await;
    let switch = mockd.send("POST", "/__mockd/scenarios", Some(&serde_json::json!({ "file": other }))).await;
    assert_eq!((switch.status, &switch.json()["count"]), (200, &serde_json::json!(1)), "{}", switch.text);
    let again = fs::File::create(&other).unwrap();
    mockd.logged("waiting until").await;
    mockd.signal("TERM");
    assert!(mockd.ended().await.success());
    drop((writer, again));
}

#[tokio::test]
async fn a_category_moved_to_another_file_keeps_its_totals() {
    let (electronics, confectionery) = SHOP.split_once("  confectionery:").unwrap();
    let confectionery = format!("categories:\n  confectionery:{confectionery}");
    for arguments in [&[][..], &["--poll"]] {
        let file = ScenarioFile::new(&format!("include: sweets.yaml\n{electronics}"));
        let sweets = file.directory().join("sweets.yaml");
        fs::write(&sweets, &confectionery).unwrap();
        let ordered = Ordered::new(file.path(), arguments).await;
        ordered.mockd.order("B1", 1).await;
        let Ordered { mut mockd, mut live } = ordered;
        assert_eq!(live.order().await, ("B1".into(), 102));
        // The category is in neither file for a moment, and then in both, which is invalid.
        for (sweet, main) in [("name: shop\n", SHOP), (&*confectionery, electronics)] {
            // Polling cannot see that a file is open, so the files are saved without a break.
            let is_seen = cfg!(target_os = "linux") && arguments.is_empty();
            let mut writer = is_seen.then(|| fs::File::create(file.path()).unwrap());
            fs::write(&sweets, sweet).unwrap();
            if writer.is_some() {
                assert_clean(&mockd.log_until("waiting until").await);
            }
            let main = format!("include: sweets.yaml\n{main}");
            match &mut writer {
                Some(writer) => writer.write_all(main.as_bytes()).unwrap(),
                None => file.write_in_place(&main),
            }
            drop(writer);
            assert_clean(&mockd.log_until("reloaded").await);
        }
        mockd.order("B1", 1).await;
        assert_eq!(live.order().await, ("B1".into(), 103));
        Ordered { mockd, live }.assert_total_kept().await;
    }
}

#[tokio::test]
async fn a_checkout_that_moves_a_category_keeps_its_totals() {
    needs!(Git);
    let (electronics, confectionery) = SHOP.split_once("  confectionery:").unwrap();
    let file = ScenarioFile::new(&format!("include: include.yaml\n{electronics}"));
    let root = file.directory().to_owned();
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(&root).args(["-c", "user.name=test", "-c", "user.email=test@localhost"]).args(arguments);
        let output = git.output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    // Many files whose names sort between those of the two scenario files.
    let write_others = |text: &str| {
        fs::create_dir_all(root.join("others")).unwrap();
        (0..3000).for_each(|number| fs::write(root.join(format!("others/{number}")), text).unwrap());
    };
    fs::write(root.join("include.yaml"), format!("categories:\n  confectionery:{confectionery}")).unwrap();
    write_others("before");
    git(&["init", "--quiet", "--initial-branch", "before"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "before"]);
    git(&["checkout", "--quiet", "-b", "after"]);
    fs::write(root.join("include.yaml"), "name: shop\n").unwrap();
    file.write_in_place(&format!("include: include.yaml\n{SHOP}"));
    write_others("after");
    git(&["commit", "--quiet", "--all", "--message", "after"]);
    git(&["checkout", "--quiet", "before"]);
    let mut ordered = Ordered::new(file.path(), &[]).await;
    for branch in ["after", "before"] {
        git(&["checkout", "--quiet", branch]);
        assert_clean(&ordered.mockd.log_until("reloaded").await);
    }
    ordered.assert_total_kept().await;
}

/// Creates Git's lock file beside the scenario, with this modification time. A lock from the future never becomes
/// stale.
fn git_lock(file: &ScenarioFile, modified: SystemTime) -> PathBuf {
    let lock = file.directory().join(".git/index.lock");
    fs::create_dir_all(lock.parent().unwrap()).unwrap();
    fs::File::create(&lock).unwrap().set_modified(modified).unwrap();
    lock
}

#[tokio::test]
async fn a_removal_waits_for_git_and_is_logged() {
    for arguments in [&[][..], &["--poll"]] {
        let file = ScenarioFile::new(&longer());
        let lock = git_lock(&file, SystemTime::now() + Duration::from_hours(1));
        let mut mockd = Mockd::run_with(file.path(), arguments).await;
        file.write_in_place(SHOP);
        let log = mockd.log_until("waiting until").await;
        assert_eq!(*log.last().unwrap(), format!("waiting until Git is done ({})", lock.display()));
        assert_clean(&log);
        fs::remove_file(&lock).unwrap();
        let log = mockd.log_until("reloaded").await;
        assert!(log.last().unwrap().ends_with(": B2 removed"), "{log:?}");
    }
}

#[tokio::test]
async fn a_stale_git_lock_delays_nothing() {
    let file = ScenarioFile::new(&longer());
    git_lock(&file, SystemTime::now() - Duration::from_hours(1));
    let mut mockd = Mockd::run_with(file.path(), &[]).await;
    file.write_in_place(SHOP);
    let log = mockd.log_until("reloaded").await;
    assert!(!log.iter().any(|message| message.contains("waiting until")), "{log:?}");
}

#[tokio::test]
async fn two_files_saved_in_succession_are_both_applied() {
    let file = ScenarioFile::new(&format!("include: more.yaml{SHOP}"));
    let more = file.directory().join("more.yaml");
    let text =
        |total: i64| format!("categories: {{ toys: {{ prefix: T, products: [{{ id: T1, total: {total} }}] }} }}\n");
    fs::write(&more, text(1)).unwrap();
    let Ordered { mockd, mut live } = Ordered::new(file.path(), &[]).await;
    fs::write(&more, text(2)).unwrap();
    file.write_in_place(&format!("include: more.yaml{}", SHOP.replace("total: 7 }", "total: 8 }")));
    let mut orders = [live.order().await, live.order().await];
    orders.sort();
    assert_eq!(orders, [("A2".into(), 8), ("T1".into(), 2)]);
    Ordered { mockd, live }.assert_total_kept().await;
}

#[tokio::test]
async fn a_removal_is_applied_eventually() {
    for arguments in [&[][..], &["--poll"]] {
        let file = ScenarioFile::new(&longer());
        let mut mockd = Mockd::run_with(file.path(), arguments).await;
        file.write_in_place(SHOP);
        let log = mockd.log_until("reloaded").await;
        assert!(log.last().unwrap().ends_with(": B2 removed"), "{log:?}");
        file.write_in_place("");
        mockd.logged("is broken").await;
        file.write_in_place(SHOP);
        mockd.logged("shop.yaml is fixed, and matches the scenario that is served").await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_replaced_file_of_a_single_file_mount_is_reported_once() {
    use std::os::fd::AsRawFd;
    let file = ScenarioFile::new(SHOP);
    let held = fs::File::open(file.path()).unwrap();
    // Like a file that is mounted on its own: the path leads to it even after its name is replaced.
    let path = format!("/proc/{}/fd/{}", std::process::id(), held.as_raw_fd());
    let mut mockd = Mockd::run_with(Path::new(&path), &[]).await;
    let mut live = mockd.live("electronics").await;
    live.texts(2).await;
    // After a reload, mockd has seen the file under its name.
    file.write_in_place(&longer());
    assert_eq!(live.order().await, ("B2".into(), 9));
    mockd.logged("reloaded").await;
    file.save_like_jetbrains(&longer());
    let message = mockd.logged("mount the folder that holds it").await;
    assert!(message.starts_with(&format!("{path} was replaced or deleted")), "{message}");
    for total in [8, 9] {
        fs::write(&path, longer().replace("total: 7 }", &format!("total: {total} }}"))).unwrap();
        assert_eq!(live.order().await, ("A2".into(), total));
        let log = mockd.log_until("reloaded").await;
        assert!(!log.iter().any(|message| message.contains("mount the folder")), "{log:?}");
    }
}
