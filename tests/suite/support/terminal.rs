//! The binary in a pseudo terminal, with the contents of its screen.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{ExitStatus, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::{TIMEOUT, command, soon};

const ROWS: u16 = 40;

pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    output: mpsc::UnboundedReceiver<Vec<u8>>,
    screen: vt100::Parser,
    /// The whole output, including what is no longer on the screen.
    written: String,
}

impl Terminal {
    /// Runs the binary in a terminal with this number of columns.
    pub(crate) fn run(arguments: &[&str], columns: u16) -> Self {
        Self::start(command(arguments), columns, false)
    }

    /// Runs a shell script in a terminal, with job control.
    pub(crate) fn shell(script: &str, columns: u16) -> Self {
        let mut command = Command::new("setsid");
        command.args(["--ctty", "bash", "-mc", script]).env("MOCKD", env!("CARGO_BIN_EXE_mockd")).kill_on_drop(true);
        Self::start(command, columns, true)
    }

    fn start(mut command: Command, columns: u16, has_keyboard: bool) -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let size = Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&ours, size).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        if has_keyboard {
            command.stdin(theirs());
        }
        let child = command.env("TERM", "xterm").stdout(theirs()).stderr(theirs()).spawn().unwrap();
        drop(command);
        let keyboard = File::from(ours);
        let mut reader = keyboard.try_clone().unwrap();
        let (chunks, output) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Reading fails once the other end is closed.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if chunks.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let size = |length| NonZeroU16::new(length).unwrap();
        let screen = vt100::Parser::new(size(ROWS), size(columns), 0);
        Self { child, keyboard, output, screen, written: String::new() }
    }

    /// Returns the lines on the screen that are not empty.
    pub(crate) fn lines(&self) -> Vec<String> {
        let contents = self.screen.screen().contents();
        contents.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    /// Waits until the last line on the screen is as expected, and returns it.
    pub(crate) async fn last_line(&mut self, expected: impl Fn(&str) -> bool) -> String {
        self.until(|lines| lines.last().is_some_and(|line| expected(line))).await.pop().unwrap()
    }

    /// Waits until the lines on the screen are as expected, and returns them.
    pub(crate) async fn until(&mut self, expected: impl Fn(&[String]) -> bool) -> Vec<String> {
        let found = async {
            while !expected(&self.lines()) {
                if !self.read().await {
                    return false;
                }
            }
            true
        };
        let found = tokio::time::timeout(TIMEOUT, found).await;
        assert_eq!(found, Ok(true), "the screen is not as expected: {:#?}", self.lines());
        self.lines()
    }

    /// Waits until the text was written, even if it is no longer on the screen.
    pub(crate) async fn wait_for_output(&mut self, text: &str) {
        let written = async { while !self.written.contains(text) && self.read().await {} };
        soon("the expected output", written).await;
    }

    /// Reads the next output. Returns `false` at the end of the output.
    async fn read(&mut self) -> bool {
        let Some(chunk) = self.output.recv().await else { return false };
        self.screen.process(&chunk);
        self.written += &String::from_utf8_lossy(&chunk);
        true
    }

    /// Returns the server's address from the greeting.
    pub(crate) async fn address(&mut self) -> String {
        let is_first = |line: &String| line.starts_with("mockd serves ");
        let lines = self.until(|lines| lines.iter().any(is_first)).await;
        lines.into_iter().find(is_first).unwrap().rsplit_once("http://").unwrap().1.to_owned()
    }

    /// Types on the keyboard.
    pub(crate) fn type_keys(&mut self, keys: &[u8]) {
        self.keyboard.write_all(keys).unwrap();
    }

    /// Sends a signal, waits for the exit, and returns its status, the lines on the screen, and the whole output.
    pub(crate) async fn stop(mut self, signal: &str) -> (ExitStatus, Vec<String>, String) {
        super::signal(self.child.id().unwrap(), signal);
        let status = soon("the end of mockd", self.child.wait()).await.unwrap();
        let rest = async { while self.read().await {} };
        soon("the end of the output", rest).await;
        (status, self.lines(), self.written)
    }
}
