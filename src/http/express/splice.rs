//! Sends memory without copying it: by way of a pipe, the connection gets references to its pages (`splice(2)`, `vmsplice(2)`).
//!
//! An answer of 860 KB costs a server that writes it 146 µs, one that passes pages on 76, and one that sends a file
//! (`sendfile(2)`, as web servers do) 89. From memory that stands in for a file (`memfd_create(2)`) it is 116.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use memmap2::{Advice, Mmap, MmapMut};
use rustix::io::Errno;
use rustix::pipe::{IoSliceRaw, PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice, vmsplice};
use socket2::SockRef;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;

/// Bytes that a pipe should hold: the most that everybody may have (`pipe(7)`, `pipe-max-size`).
const PIPE: usize = 1 << 20;

/// Memory in pieces of this size is passed on for 15 % less than in pieces of 4 KiB.
const HUGE_PAGE: usize = 2 << 20;

/// Bodies from this size on may take up to four times as much memory for that.
const WORTH_HUGE_PAGES: usize = HUGE_PAGE / 4;

/// Bytes that never change, in memory of their own. They may be dropped while the kernel still sends them: it holds the
/// pages, and until it is done nobody gets them for anything else.
pub(super) struct Pages {
    map: Mmap,
    length: usize,
}

/// Pipes that are empty. One is taken only while a connection takes what it can at once, so that there are no more of them
/// than threads, and clients that do not read hold none.
#[derive(Default)]
pub(super) struct Pipes(Mutex<Vec<Pipe>>);

struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Pages {
    /// A copy of the bytes.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub(super) fn of(bytes: &[u8]) -> io::Result<Self> {
        let length = bytes.len();
        let is_huge = length >= WORTH_HUGE_PAGES;
        let mut map = MmapMut::map_anon(if is_huge { length.next_multiple_of(HUGE_PAGE) } else { length })?;
        if is_huge {
            // Where they are not to be had, small ones do.
            let _ = map.advise(Advice::HugePage);
        }
        map[..length].copy_from_slice(bytes);
        Ok(Self { map: map.make_read_only()?, length })
    }

    fn from(&self, sent: usize) -> &[u8] {
        &self.map[sent..self.length]
    }
}

impl Pipes {
    /// Sends a head, and what is at the pages behind it.
    ///
    /// # Errors
    /// Those of the connection.
    pub(super) async fn send(&self, stream: &mut TcpStream, head: &[u8], pages: &Pages) -> io::Result<()> {
        let (mut head, mut sent) = (head, 0);
        stream.async_io(Interest::WRITABLE, || send_before_more(stream, &mut head)).await?;
        if !stream.async_io(Interest::WRITABLE, || self.pass_on(stream, pages, &mut sent)).await? {
            stream.write_all(pages.from(sent)).await?;
        }
        Ok(())
    }

    /// Has the connection take what it can without waiting, until all is sent. Says `false` if the rest has to be written.
    fn pass_on(&self, stream: &TcpStream, pages: &Pages, sent: &mut usize) -> io::Result<bool> {
        let Ok(pipe) = self.lock().pop().map_or_else(Pipe::new, Ok) else { return Ok(false) };
        while *sent < pages.length {
            let Ok(mut filled) = pipe.fill(pages, *sent) else { return Ok(false) };
            let is_last = *sent + filled == pages.length;
            while filled > 0 {
                // If not all of it is taken, the rest goes with the pipe.
                match pipe.drain_to(stream, filled, is_last) {
                    Ok(0) | Err(Errno::INVAL | Errno::NOSYS) => return Ok(false),
                    Ok(taken) => (filled, *sent) = (filled - taken, *sent + taken),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.lock().push(pipe);
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pipe>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pipe {
    fn new() -> Result<Self, Errno> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // Who has too many pipes gets small ones (`pipe(7)`, `pipe-user-pages-soft`), which do as well.
        let _ = fcntl_setpipe_size(&writer, PIPE);
        Ok(Self { reader, writer })
    }

    /// Fills it with references to the pages of what is not sent yet; gives how many bytes fit.
    #[expect(unsafe_code, reason = "the kernel reads memory that Rust does not know to be shared")]
    fn fill(&self, pages: &Pages, sent: usize) -> Result<usize, Errno> {
        // SAFETY: what is at the writing end is only read, and `Pages` are not changed until they are dropped. After that
        // the kernel holds the pages themselves, which are not those of any memory that comes to be at the same address.
        unsafe { vmsplice(&self.writer, &[IoSliceRaw::from_slice(pages.from(sent))], SpliceFlags::NONBLOCK) }
    }

    /// Passes on so many bytes; gives how many the connection takes. It should hold them back if more come.
    fn drain_to(&self, stream: impl AsFd, bytes: usize, is_last: bool) -> Result<usize, Errno> {
        let more = if is_last { SpliceFlags::empty() } else { SpliceFlags::MORE };
        splice(&self.reader, None, stream, None, bytes, SpliceFlags::NONBLOCK | more)
    }
}

/// Sends bytes that share a segment with those that follow, until none is left.
fn send_before_more(stream: &TcpStream, left: &mut &[u8]) -> io::Result<()> {
    while !left.is_empty() {
        match SockRef::from(stream).send_with_flags(left, libc::MSG_MORE) {
            Ok(sent) => *left = &left[sent..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
