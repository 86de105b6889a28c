//! Saves in every manner, of good files and of bad ones.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use crate::support::{SHOP, ScenarioFile};

/// The shop of that good save: A1 and B1 stay as they are, A2 is another each time.
pub(super) fn shop(save: i64) -> String {
    SHOP.replace("total: 7 }", &format!("total: {} }}", total(save))).replace("Leaf Blower", &format!("Blower {save}"))
}

/// The declared total of A2 in that save.
pub(super) fn total(save: i64) -> i64 {
    1000 * save
}

/// What a save did.
#[derive(Debug, Clone, Copy)]
pub(super) enum Saved {
    /// A good file, of that number.
    Good(i64),
    /// A file with a key of that number that is not known.
    Mistaken(usize),
    /// What cannot be served.
    Bad,
    /// The file is what it was.
    Same,
}

pub(super) struct Saver {
    file: ScenarioFile,
    random: ChaCha8Rng,
    /// The number of the last good save, told before it is begun.
    pub(super) good: Arc<AtomicI64>,
    links: usize,
    mistakes: usize,
}

impl Saver {
    pub(super) fn new(file: ScenarioFile, random: ChaCha8Rng) -> Self {
        Self { file, random, good: Arc::default(), links: 0, mistakes: 0 }
    }

    /// Whether to wait until this save has arrived.
    pub(super) fn is_patient(&mut self) -> bool {
        self.random.random()
    }

    pub(super) fn save(&mut self) -> Saved {
        match self.random.random_range(0..10) {
            0..4 => Saved::Good(self.save_a_good_one()),
            4 => {
                self.mistakes += 1;
                self.put(&format!("bogus{}: 1{SHOP}", self.mistakes));
                Saved::Mistaken(self.mistakes)
            }
            5 => {
                // Not at the end of a product: what is before that would be a good file.
                let last = SHOP.rfind("{ id").unwrap() + 1;
                let end = self.random.random_range(last..SHOP.rfind('}').unwrap());
                self.put_bad(&SHOP[..end])
            }
            6 => self.put_bad(""),
            7 => self.delete(),
            _ => self.rename_away_and_back(),
        }
    }

    pub(super) fn save_a_good_one(&mut self) -> i64 {
        let save = self.good.fetch_add(1, Ordering::SeqCst) + 1;
        self.put(&shop(save));
        save
    }

    fn put_bad(&mut self, text: &str) -> Saved {
        self.put(text);
        Saved::Bad
    }

    fn put(&mut self, text: &str) {
        let is_there = self.file.path().exists();
        match self.random.random_range(0..5) {
            0 => self.replace(text),
            1 => self.swap_link(text),
            2 if is_there => self.file.save_like_vim(text),
            3 if is_there => self.file.save_like_jetbrains(text),
            _ => self.file.write_in_place(text),
        }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.file.directory().join(name)
    }

    fn replace(&self, text: &str) {
        let new = self.beside("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.file.path()).unwrap();
    }

    /// A link to another file takes the place of what is there.
    fn swap_link(&mut self, text: &str) {
        self.links += 1;
        let (target, link) = (self.beside(&format!("target{}", self.links % 2)), self.beside("link"));
        fs::write(&target, text).unwrap();
        symlink(target, &link).unwrap();
        fs::rename(link, self.file.path()).unwrap();
    }

    fn delete(&self) -> Saved {
        if self.file.path().exists() {
            self.file.delete();
        }
        Saved::Bad
    }

    fn rename_away_and_back(&self) -> Saved {
        if self.file.path().exists() {
            fs::rename(self.file.path(), self.beside("away")).unwrap();
            fs::rename(self.beside("away"), self.file.path()).unwrap();
        }
        Saved::Same
    }
}
