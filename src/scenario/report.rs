//! Tells problems: drawn for people, and as data for programs.

mod drawing;
mod github;
mod json;
mod place;

pub use drawing::{Style, render};
pub use github::annotations;
pub use json::describe;
use place::{Place, Places};
