//! The site's pages and their code blocks.
//!
//! A block's title is a file name, or a phrase that says where the block belongs. Only a phrase contains a space.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The marker that opens and closes a code block.
const FENCE: &str = "```";

pub(super) struct Page {
    path: PathBuf,
    pub(super) blocks: Vec<Block>,
}

/// A code block.
pub(super) struct Block {
    pub(super) language: String,
    title: Option<String>,
    pub(super) text: String,
}

/// A command with its output.
pub(super) struct Example {
    pub(super) command: String,
    pub(super) output: String,
}

impl Page {
    /// Returns the front page, the tutorial and the guides. Other tests cover the explanation and the reference.
    pub(super) fn all() -> Vec<Self> {
        let content = Path::new("docs/content");
        let mut pages = vec![content.join("index.md")];
        for folder in ["tutorial", "how-to"] {
            let files = fs::read_dir(content.join(folder)).unwrap().map(|file| file.unwrap().path());
            pages.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
        }
        pages.sort();
        pages.into_iter().map(Self::read).collect()
    }

    /// Reads the page at a path below the site's content.
    pub(super) fn named(path: &str) -> Self {
        Self::read(Path::new("docs/content").join(path))
    }

    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { blocks: blocks(&text), path }
    }

    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes the page's files to a temporary folder.
    pub(super) fn files(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        for block in &self.blocks {
            let Some(name) = block.file_name() else { continue };
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &block.text).unwrap();
        }
        folder
    }

    /// Returns the text of one of the page's files.
    pub(super) fn file(&self, name: &str) -> &str {
        let file = self.blocks.iter().find(|block| block.file_name() == Some(name));
        &file.unwrap_or_else(|| panic!("{} has no {name}", self.name())).text
    }
}

impl Block {
    /// Returns the block's file name, or `None` if its title is a phrase.
    pub(super) fn file_name(&self) -> Option<&str> {
        self.title.as_deref().filter(|title| !title.contains(' '))
    }

    /// Returns the file name of a whole scenario. The YAML files of other programs end in `.yml`.
    pub(super) fn scenario(&self) -> Option<&str> {
        let is_scenario = |name: &&str| Path::new(name).extension().is_some_and(|extension| extension == "yaml");
        self.file_name().filter(is_scenario)
    }

    /// Returns the path of the scenario that the block is appended to, as in `Add to chat.yaml`.
    pub(super) fn added_to(&self) -> Option<&str> {
        self.title.as_deref()?.strip_prefix("Add to ")
    }

    /// Returns the path of the scenario that contains the block, as in `In chat.yaml, under messages`.
    pub(super) fn part_of(&self) -> Option<&str> {
        self.title.as_deref()?.strip_prefix("In ")?.split(',').next()
    }

    /// Returns the commands of a terminal session.
    pub(super) fn session(&self) -> Vec<Example> {
        let mut session: Vec<Example> = Vec::new();
        if self.language != "console" {
            return session;
        }
        for line in self.text.lines() {
            match (line.strip_prefix("$ "), session.last_mut()) {
                (Some(command), _) => session.push(Example { command: command.to_owned(), output: String::new() }),
                (None, Some(last)) if last.command.ends_with('\\') => {
                    last.command.pop();
                    last.command.push_str(line.trim_start());
                }
                (None, Some(last)) => {
                    last.output.push_str(line);
                    last.output.push('\n');
                }
                // mockd's log, which belongs to no command.
                (None, None) => {}
            }
        }
        session
    }
}

impl Example {
    /// Returns whether `printed` is the expected output, in which `…` stands for any text.
    pub(super) fn matches(&self, printed: &str) -> bool {
        let mut parts = self.output.trim().split('…');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = printed.trim().strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        for part in parts {
            let Some((_, after)) = rest.split_once(part) else { return false };
            rest = after;
        }
        rest.ends_with(last)
    }
}

/// Returns a page's code blocks, including those inside tabs and lists.
fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.trim_start().strip_prefix(FENCE) else { continue };
        let indent = line.len() - line.trim_start().len();
        let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
        let title = rest.strip_prefix("title=\"").and_then(|title| title.strip_suffix('"'));
        let code = lines.by_ref().take_while(|line| line.trim() != FENCE);
        let text = code.map(|line| line.get(indent..).unwrap_or_default().to_owned() + "\n").collect();
        blocks.push(Block { language: language.to_owned(), title: title.map(str::to_owned), text });
    }
    blocks
}
