//! Different ways to save valid and invalid files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::support::{SHOP, ScenarioFile};

/// Returns the shop of the valid save with this number. A1 and B1 never change, A2 changes with each save.
pub(super) fn shop(save: i64) -> String {
    SHOP.replace("total: 7 }", &format!("total: {} }}", total(save))).replace("Leaf Blower", &format!("Blower {save}"))
}

/// Returns the declared total of A2 in the save with this number.
pub(super) fn total(save: i64) -> i64 {
    1000 * save
}

/// The result of a save.
#[derive(Debug, Clone, Copy)]
pub(super) enum Saved {
    /// A valid file with this number.
    Valid(i64),
    /// A file with an unknown key that ends in this number.
    UnknownKey(usize),
    /// An otherwise invalid or missing file.
    Invalid,
    /// The same file as before.
    Unchanged,
}

pub(super) struct Saver {
    file: ScenarioFile,
    random: ChaCha8Rng,
    /// The number of the last valid save, increased before the save starts.
    pub(super) last_valid: Arc<AtomicI64>,
    links: usize,
    mistakes: usize,
}

impl Saver {
    pub(super) fn new(file: ScenarioFile, random: ChaCha8Rng) -> Self {
        Self { file, random, last_valid: Arc::default(), links: 0, mistakes: 0 }
    }

    /// Returns at random whether to wait for the effect of the last save.
    pub(super) fn should_wait(&mut self) -> bool {
        self.random.random()
    }

    pub(super) fn save(&mut self) -> Saved {
        match self.random.random_range(0..10) {
            0..4 => Saved::Valid(self.save_valid()),
            4 => {
                self.mistakes += 1;
                self.put(&format!("bogus{}: 1{SHOP}", self.mistakes));
                Saved::UnknownKey(self.mistakes)
            }
            5 => {
                // Cut within a product: a file that ends after a product would be valid.
                let last = SHOP.rfind("{ id").unwrap() + 1;
                let end = self.random.random_range(last..SHOP.rfind('}').unwrap());
                self.put_invalid(&SHOP[..end])
            }
            6 => self.put_invalid(""),
            7 => self.delete(),
            _ => self.rename_away_and_back(),
        }
    }

    pub(super) fn save_valid(&mut self) -> i64 {
        let save = self.last_valid.fetch_add(1, Ordering::SeqCst) + 1;
        self.put(&shop(save));
        save
    }

    fn put_invalid(&mut self, text: &str) -> Saved {
        self.put(text);
        Saved::Invalid
    }

    fn put(&mut self, text: &str) {
        let exists = self.file.path().exists();
        match self.random.random_range(0..5) {
            0 => self.replace(text),
            1 => self.swap_link(text),
            2 if exists => self.file.save_like_vim(text),
            3 if exists => self.file.save_like_jetbrains(text),
            _ => self.file.write_in_place(text),
        }
    }

    fn path_beside(&self, name: &str) -> PathBuf {
        self.file.directory().join(name)
    }

    fn replace(&self, text: &str) {
        let new = self.path_beside("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.file.path()).unwrap();
    }

    /// Replaces the file with a link to another file.
    fn swap_link(&mut self, text: &str) {
        self.links += 1;
        let (target, link) = (self.path_beside(&format!("target{}", self.links % 2)), self.path_beside("link"));
        fs::write(&target, text).unwrap();
        symlink(target, &link).unwrap();
        fs::rename(link, self.file.path()).unwrap();
    }

    fn delete(&self) -> Saved {
        if self.file.path().exists() {
            self.file.delete();
        }
        Saved::Invalid
    }

    fn rename_away_and_back(&self) -> Saved {
        if self.file.path().exists() {
            fs::rename(self.file.path(), self.path_beside("away")).unwrap();
            fs::rename(self.path_beside("away"), self.file.path()).unwrap();
        }
        Saved::Unchanged
    }
}
