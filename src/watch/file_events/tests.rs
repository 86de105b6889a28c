#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use notify::Event;
use notify::event::{
    AccessKind, AccessMode, CreateKind, DataChange, EventKind, Flag, MetadataKind, ModifyKind, RemoveKind, RenameMode,
};

use super::Writer::{Done, Unknown, Writing};
use super::{FileEvents, WatchedPaths, Writer};

const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));
const READ: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Read));
const CREATED: EventKind = EventKind::Create(CreateKind::File);
const REMOVED: EventKind = EventKind::Remove(RemoveKind::File);
const MOVED_HERE: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::To));
const MOVED_AWAY: EventKind = EventKind::Modify(ModifyKind::Name(RenameMode::From));
const TOUCHED: EventKind = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));

/// A sequence of events, each for the file with this name.
type Events = &'static [(EventKind, &'static str)];

/// Two files in a followed directory: `shop.yaml`, and `empty.yaml`, which is empty.
struct Followed {
    directory: tempfile::TempDir,
    events: FileEvents,
}

impl Followed {
    fn new(reports_close: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let paths: Vec<PathBuf> = ["shop.yaml", "empty.yaml"].map(|name| root.join(name)).into();
        std::fs::write(&paths[0], "name: shop\n").unwrap();
        std::fs::write(&paths[1], "").unwrap();
        let mut events = FileEvents::new(reports_close);
        assert_eq!(events.stale(&paths), Some(false));
        events.follow(&paths, WatchedPaths::of(&paths));
        events.settled(0);
        Self { directory, events }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    /// Processes events and returns the resulting state of the writers.
    fn after(&mut self, events: &[(EventKind, &str)]) -> Writer {
        for (kind, name) in events {
            let event = Event::new(*kind).add_path(self.path(name));
            self.events.note(&event);
        }
        self.events.writer().0
    }
}

#[test]
fn events_show_whether_a_file_is_being_written() {
    let cases: &[(&str, Events, Writer)] = &[
        ("nothing", &[], Done),
        ("a write", &[(WRITTEN, "shop.yaml")], Writing),
        ("a complete save", &[(WRITTEN, "shop.yaml"), (CLOSED, "shop.yaml")], Done),
        ("a save that continues", &[(WRITTEN, "shop.yaml"), (CLOSED, "shop.yaml"), (WRITTEN, "shop.yaml")], Writing),
        ("a read in between", &[(WRITTEN, "shop.yaml"), (READ, "shop.yaml")], Writing),
        ("a change of permissions in between", &[(WRITTEN, "shop.yaml"), (TOUCHED, "shop.yaml")], Writing),
        ("another file is closed", &[(WRITTEN, "shop.yaml"), (CLOSED, "empty.yaml")], Writing),
        ("a file that is not followed", &[(WRITTEN, "other.yaml")], Done),
        ("a rename over it", &[(WRITTEN, "shop.yaml"), (MOVED_HERE, "shop.yaml")], Done),
        ("a new empty file", &[(CREATED, "empty.yaml")], Writing),
        ("a link to a file with content", &[(CREATED, "shop.yaml")], Unknown),
        ("a new file that was written", &[(CREATED, "shop.yaml"), (CLOSED, "shop.yaml")], Done),
        ("a file that is gone", &[(WRITTEN, "shop.yaml"), (REMOVED, "shop.yaml")], Done),
        ("a file that was moved away", &[(WRITTEN, "shop.yaml"), (MOVED_AWAY, "shop.yaml")], Done),
        ("a directory that is gone", &[(WRITTEN, "shop.yaml"), (REMOVED, "")], Unknown),
        ("a directory that was moved into place", &[(WRITTEN, "shop.yaml"), (MOVED_HERE, "")], Done),
    ];
    for (name, events, expected) in cases {
        assert_eq!(Followed::new(true).after(events), *expected, "{name}");
    }
}

#[test]
fn without_close_events_the_writer_is_unknown() {
    for kind in [WRITTEN, CREATED, MOVED_HERE, REMOVED, TOUCHED] {
        assert_eq!(Followed::new(false).after(&[(kind, "empty.yaml")]), Unknown, "{kind:?}");
    }
}

#[test]
fn lost_events_leave_the_writer_unknown_until_the_next_read() {
    let mut followed = Followed::new(true);
    followed.after(&[(WRITTEN, "shop.yaml")]);
    assert_eq!(followed.events.writer().1, Some(&*followed.path("shop.yaml")));
    assert!(followed.events.note(&Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    assert_eq!(followed.events.writer(), (Unknown, None));
    let paths = ["shop.yaml", "empty.yaml"].map(|name| followed.path(name));
    assert_eq!(followed.events.stale(&paths), Some(true), "directories are watched again");
    // The files were read before the last event, so this changes nothing.
    followed.events.settled(followed.events.events() - 1);
    assert_eq!(followed.events.writer().0, Unknown);
    followed.events.settled(followed.events.events());
    assert_eq!(followed.events.writer().0, Done);
}

#[test]
fn a_file_keeps_its_writer_when_the_set_of_files_changes() {
    let mut followed = Followed::new(true);
    followed.after(&[(WRITTEN, "shop.yaml")]);
    let paths = ["new.yaml", "shop.yaml"].map(|name| followed.path(name));
    assert_eq!(followed.events.stale(&paths), Some(false));
    followed.events.follow(&paths, WatchedPaths::of(&paths));
    assert_eq!(followed.events.writer(), (Writing, Some(Path::new(&paths[1]))));
    assert_eq!(followed.after(&[(CLOSED, "shop.yaml")]), Unknown, "nothing is known about the new file");
}
