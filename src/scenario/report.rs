//! Tells problems: drawn for people, and as data for programs.

mod drawing;
mod github;
mod json;
mod place;

pub use drawing::{Style, render};
pub use github::{annotate, annotations};
pub use json::{describe, list as describe_problems};
use place::{Place, Places};
