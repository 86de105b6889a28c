//! A server process and its descendants, measured through /proc and killed on drop.

use std::cell::Cell;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, setrlimit};

use crate::client::TIMEOUT;
use crate::http::fetch;

/// The first of 8,000 candidate ports, below the kernel's range of ephemeral ports.
const FIRST_PORT: u32 = 21_000;

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Time from exec to the first answer with status 200.
    pub(crate) started: Duration,
    /// The highest CPU time seen so far.
    cpu: Cell<Duration>,
}

impl Server {
    /// Starts a server that listens on 127.0.0.1:`port`, and waits until it answers a GET of `path` with 200.
    pub(crate) fn start(mut command: Command, port: u16, path: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let start = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        while let Err(error) = fetch(address, path) {
            let status = child.try_wait().expect("a child");
            assert!(status.is_none(), "{command:?} ended: {status:?}");
            assert!(start.elapsed() < TIMEOUT, "{command:?} does not answer: {error}");
            std::thread::sleep(Duration::from_micros(100));
        }
        Self { child, address, started: start.elapsed(), cpu: Cell::default() }
    }

    /// Returns the CPU time of all threads so far. The scheduler counts it in nanoseconds, but omits threads that have
    /// ended; in that case the time is read in ticks of 10 ms.
    pub(crate) fn cpu(&self) -> Duration {
        let processes = self.processes();
        let cpu = processes.iter().map(|process| by_schedstat(*process)).sum::<Duration>();
        let cpu = if cpu >= self.cpu.get() { cpu } else { processes.iter().map(|process| by_ticks(*process)).sum() };
        self.cpu.set(cpu.max(self.cpu.get()));
        self.cpu.get()
    }

    /// Returns the resident memory in bytes: all of it with `VmRSS`, without mapped files with `RssAnon`.
    pub(crate) fn memory(&self, field: &str) -> f64 {
        self.processes().into_iter().map(|process| resident(process, field)).sum()
    }

    /// Returns the number of open files.
    pub(crate) fn files(&self) -> usize {
        self.processes()
            .into_iter()
            .map(|process| fs::read_dir(format!("/proc/{process}/fd")).map_or(0, Iterator::count))
            .sum()
    }

    /// Returns the ids of the server process and its descendants.
    fn processes(&self) -> Vec<u32> {
        let mut processes = vec![self.child.id()];
        let mut next = 0;
        while let Some(process) = processes.get(next) {
            processes.extend(children(*process));
            next += 1;
        }
        processes
    }
}

fn tasks(process: u32) -> impl Iterator<Item = PathBuf> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
    tasks.filter_map(|task| Some(task.ok()?.path()))
}

fn children(process: u32) -> Vec<u32> {
    let children = tasks(process).filter_map(|task| fs::read_to_string(task.join("children")).ok());
    children.flat_map(|ids| ids.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>()).collect()
}

pub(crate) fn by_schedstat(process: u32) -> Duration {
    let nanoseconds = |task: PathBuf| {
        let stat = fs::read_to_string(task.join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks(process).filter_map(nanoseconds).sum())
}

fn by_ticks(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 = fields.split(' ').skip(12).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn resident(process: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim_matches([':', '\t', ' ', 'k', 'B']).parse::<f64>().map_or(0.0, |kib| kib * 1024.0)
}

impl Drop for Server {
    fn drop(&mut self) {
        // The group includes descendants. The server may have exited already.
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Returns a free port, a different one each time: connections to the previous port may still be in TIME-WAIT.
pub(crate) fn free_port() -> u16 {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.subsec_micros());
    let ports = (0..8_000).filter_map(|offset| u16::try_from(FIRST_PORT + (start + offset) % 8_000).ok());
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    ports.into_iter().find(is_free).expect("a free port")
}

/// Raises the open file limit of this process and its children to the maximum, and returns it.
pub(crate) fn raise_file_limit() -> usize {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the maximum is allowed");
    maximum.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}
