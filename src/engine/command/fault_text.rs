//! The fault of a command.

use std::sync::Arc;

use serde::de::Deserializer;
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};

use crate::engine::refusal::Refusal;
use crate::scenario::{Fault, Scenario, Source, parse_fault};

/// A fault that was parsed here, or its text as sent by another server.
#[derive(Debug, Clone)]
pub enum FaultText {
    /// The parsed fault.
    Parsed(Arc<Fault>),
    /// Its text as JSON, to be parsed against the running scenario.
    Written(String),
}

impl From<Fault> for FaultText {
    fn from(fault: Fault) -> Self {
        Self::Parsed(Arc::new(fault))
    }
}

impl FaultText {
    pub(super) fn parse(self, scenario: &Scenario) -> Result<Arc<Fault>, Refusal> {
        match self {
            Self::Parsed(fault) => Ok(fault),
            Self::Written(text) => match parse_fault(&Source::new("fault", &text), scenario) {
                Ok((fault, _)) => Ok(Arc::new(fault)),
                Err(problems) => Err(Refusal::UnreadableFault(problems.to_string())),
            },
        }
    }
}

impl Serialize for FaultText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Parsed(fault) => serializer.serialize_str(&serde_json::to_string(fault).map_err(S::Error::custom)?),
            Self::Written(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for FaultText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Written)
    }
}
