//! Any scenario file is rejected with a report, or it runs and its printed form parses back to the same scenario.

use std::sync::Arc;
use std::time::Duration;

use mockd::engine::Engine;
use mockd::scenario::{LoadError, Source, Style, annotations, describe, parse, render};

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let source = Source::new("wild.yaml", &text);
    match parse(&source) {
        Ok(scenario) => {
            let printed = scenario.to_yaml();
            let again = parse(&Source::new("wild.yaml", &printed));
            assert_eq!(again.as_ref(), Ok(&scenario), "{printed}");
            let scenario = Arc::new(scenario);
            let mut engine = Engine::new(&scenario, 1);
            engine.advance_some(Duration::from_hours(1), 1_000);
            assert!(engine.replace(&scenario, 1).changes.is_empty());
        }
        Err(problems) => {
            assert!(!problems.list.is_empty());
            let _ = render(&problems, Style::Plain);
            let _ = render(&problems, Style::Colour);
            let error = LoadError::Invalid(problems);
            let _ = annotations(&error);
            let _ = describe(&error);
        }
    }
}
