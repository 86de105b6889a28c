//! A scenario file in a temporary directory, saved as different editors save.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

pub(crate) struct ScenarioFile {
    directory: TempDir,
    path: PathBuf,
}

impl ScenarioFile {
    pub(crate) fn new(text: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("shop.yaml");
        fs::write(&path, text).unwrap();
        Self { directory, path }
    }

    /// Creates a file in a subdirectory of the temporary directory.
    pub(crate) fn nested(text: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("nested/shop.yaml");
        fs::create_dir(directory.path().join("nested")).unwrap();
        fs::write(&path, text).unwrap();
        Self { directory, path }
    }

    /// Creates a file as Kubernetes mounts a config map: `shop.yaml -> ..data/shop.yaml`, `..data -> ..1`.
    #[cfg(unix)]
    pub(crate) fn mounted(text: &str) -> Self {
        let file = Self::new(text);
        let root = file.directory.path();
        fs::create_dir(root.join("..1")).unwrap();
        fs::rename(&file.path, root.join("..1/shop.yaml")).unwrap();
        std::os::unix::fs::symlink("..1", root.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/shop.yaml", &file.path).unwrap();
        file
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Truncates and rewrites the file, as VS Code does.
    pub(crate) fn write_in_place(&self, text: &str) {
        fs::write(&self.path, text).unwrap();
    }

    /// Like [`ScenarioFile::write_in_place`], in this many pieces with a pause before each.
    pub(crate) async fn write_slowly(&self, text: &str, pieces: usize, pause: Duration) {
        let mut file = File::create(&self.path).unwrap();
        for piece in text.as_bytes().chunks(text.len().div_ceil(pieces)) {
            tokio::time::sleep(pause).await;
            file.write_all(piece).unwrap();
        }
    }

    /// Renames the old file to a backup, writes a new file and deletes the backup, as vim does.
    pub(crate) fn save_like_vim(&self, text: &str) {
        let backup = self.directory.path().join("shop.yaml~");
        fs::rename(&self.path, &backup).unwrap();
        fs::write(&self.path, text).unwrap();
        fs::remove_file(backup).unwrap();
    }

    /// Writes a new file beside the old one and renames it over the old one, as `JetBrains` editors do.
    pub(crate) fn save_like_jetbrains(&self, text: &str) {
        let (new, old) = (self.sibling("___jb_tmp___"), self.sibling("___jb_old___"));
        fs::write(&new, text).unwrap();
        fs::rename(&self.path, &old).unwrap();
        fs::rename(&new, &self.path).unwrap();
        fs::remove_file(old).unwrap();
    }

    /// Points the link to a new directory, as Kubernetes does.
    #[cfg(unix)]
    pub(crate) fn swap_mount(&self, text: &str) {
        let root = self.directory.path();
        fs::create_dir(root.join("..2")).unwrap();
        fs::write(root.join("..2/shop.yaml"), text).unwrap();
        std::os::unix::fs::symlink("..2", root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        fs::remove_dir_all(root.join("..1")).unwrap();
    }

    pub(crate) fn delete(&self) {
        fs::remove_file(&self.path).unwrap();
    }

    fn sibling(&self, ending: &str) -> PathBuf {
        self.directory.path().join(format!("shop.yaml{ending}"))
    }
}
