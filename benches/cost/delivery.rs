//! Posts updates and checks that every socket receives each update once, in the order of the posts.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::client::{Client, TIMEOUT};
use crate::http::{Connection, post};
use crate::process::Server;

/// Maximum number of unanswered posts in a burst.
const IN_FLIGHT: usize = 64;

/// Posts of amount 1 to each product in turn, and the updates they cause.
pub(crate) struct Delivery<'a> {
    server: &'a Server,
    client: &'a mut Client,
    poster: Connection,
    posts: Vec<Vec<u8>>,
    expected: Expected,
    /// Number of posts so far.
    posted: usize,
}

/// Checks the frames that each socket receives.
struct Expected {
    products: usize,
    /// The initial total of every product.
    before: usize,
    /// Number of frames received, by socket.
    frames: Vec<usize>,
    /// Number of frames that each socket must receive.
    goal: usize,
    /// Number of sockets that have received `goal` frames.
    arrived: usize,
    fault: Option<String>,
}

impl<'a> Delivery<'a> {
    /// Creates a delivery to the products `A1`, `A2` and so on, whose totals are all `before`.
    pub(crate) fn new(server: &'a Server, client: &'a mut Client, products: usize, before: usize) -> Self {
        let poster = Connection::open(server.address).expect("the server accepts");
        let body = r#"{"amount":1}"#;
        let posts = (1..=products).map(|number| post(&format!("/orders/A{number}"), body)).collect();
        let frames = vec![0; client.len()];
        let expected = Expected { products, before, frames, goal: 0, arrived: 0, fault: None };
        Self { server, client, poster, posts, expected, posted: 0 }
    }

    /// Posts each update after every socket has received the previous one. Returns the times from a post to the last
    /// socket, in nanoseconds.
    ///
    /// # Errors
    /// A socket misses an update or receives an unexpected one.
    pub(crate) fn one_by_one(&mut self, updates: usize) -> Result<Histogram<u64>, String> {
        let mut times = Histogram::new(3).expect("three digits");
        for _ in 0..updates {
            let sent = Instant::now();
            self.post();
            self.arrive(self.posted)?;
            times.record(u64::try_from(sent.elapsed().as_nanos()).expect("not centuries")).expect("it grows");
            self.poster.wait();
        }
        Ok(times)
    }

    /// Posts as fast as the server answers, with at most [`IN_FLIGHT`] unanswered posts, and waits until every socket
    /// has received all updates.
    ///
    /// # Errors
    /// As for [`Self::one_by_one`].
    pub(crate) fn burst(&mut self, updates: usize) -> Result<(), String> {
        let goal = self.posted + updates;
        self.client.watch(&self.poster);
        self.poster.set_nonblocking(true);
        let mut answered = self.posted;
        self.expected.aim(goal);
        while answered < goal {
            while self.posted < goal && self.posted - answered < IN_FLIGHT {
                self.post();
            }
            self.client.poll(TIMEOUT, |number, payload| self.expected.check(number, payload));
            answered += self.poster.poll();
        }
        self.poster.set_nonblocking(false);
        self.client.unwatch(&self.poster);
        self.arrive(goal)
    }

    /// Returns the server's CPU time.
    pub(crate) fn cpu(&self) -> Duration {
        // Work after the last frame, such as writing to the journal, is part of the cost of an update.
        std::thread::sleep(Duration::from_millis(5));
        self.server.cpu()
    }

    fn post(&mut self) {
        self.poster.send(&self.posts[self.posted % self.posts.len()]);
        self.posted += 1;
    }

    /// Waits until every socket has received `frames` frames.
    fn arrive(&mut self, frames: usize) -> Result<(), String> {
        let expected = &mut self.expected;
        expected.aim(frames);
        let deadline = Instant::now() + TIMEOUT;
        while expected.arrived < expected.frames.len() && expected.fault.is_none() {
            if Instant::now() > deadline {
                expected.fault = Some(format!("only {} sockets have all {frames} frames", expected.arrived));
            }
            self.client.poll(Duration::from_millis(100), |number, payload| expected.check(number, payload));
        }
        expected.fault.take().map_or(Ok(()), Err)
    }

    /// Checks that no further frames arrive.
    ///
    /// # Errors
    /// A socket receives another frame.
    pub(crate) fn end(mut self) -> Result<(), String> {
        self.client.poll(Duration::from_millis(20), |number, payload| self.expected.check(number, payload));
        self.expected.fault.take().map_or(Ok(()), Err)
    }
}

impl Expected {
    fn aim(&mut self, goal: usize) {
        self.goal = goal;
        self.arrived = self.frames.iter().filter(|frames| **frames >= goal).count();
    }

    /// Checks that frame `n` of a socket is for product `n % products` with the total `before + n / products + 1`: each
    /// post adds 1, and the order is the same for all sockets.
    fn check(&mut self, socket: usize, payload: &[u8]) {
        let frame = self.frames[socket];
        let expected = (frame % self.products + 1, self.before + frame / self.products + 1);
        if order(payload, 'A') != Some(expected) || frame == self.goal {
            let text = String::from_utf8_lossy(payload);
            self.fault.get_or_insert_with(|| format!("frame {frame} of socket {socket} is {text}, not {expected:?}"));
        }
        self.frames[socket] = frame + 1;
        self.arrived += usize::from(frame + 1 == self.goal);
    }
}

/// Returns the number in the id and the total of `{"id":"A1","total":13}`.
pub(crate) fn order(payload: &[u8], prefix: char) -> Option<(usize, usize)> {
    let rest = payload.strip_prefix(br#"{"id":""#)?.strip_prefix(&[u8::try_from(prefix).ok()?])?;
    let (id, rest) = number(rest);
    let (total, rest) = number(rest.strip_prefix(br#"","total":"#)?);
    (rest == b"}").then_some((id, total))
}

/// Returns the number at the start and the bytes after it.
fn number(bytes: &[u8]) -> (usize, &[u8]) {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = bytes[..digits].iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    (number, &bytes[digits..])
}
