//! What clients change in a world, as data: it is carried out here, or written down and carried out by every server that
//! plays the world.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::Deserializer;
use serde::ser::{Error as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::WorldError;
use super::play::Play;
use crate::engine::{Event, FaultState};
use crate::scenario::{Fault, Scenario, Source, parse_fault};

/// A change that a client asks for. It happens at once, as a whole or not at all.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Operation {
    Order(Arc<str>, i64),
    Orders(Vec<(Arc<str>, i64)>),
    SetTotals(Vec<(Arc<str>, i64)>),
    AddProduct(Arc<str>, Map<String, Value>),
    AddFault(GivenFault),
    ChangeFault(String, GivenFault),
    RemoveFault(String),
    ClearFaults,
    Reset(Option<u64>),
    Save(String),
    Restore(String),
    Forget(String),
}

/// What came of an operation, of which each kind has one.
#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    Events(Vec<Event>),
    /// A category's products as JSON.
    Products(Bytes),
    Fault(Box<FaultState>),
    Count(usize),
}

/// A fault, or its text as another server wrote it.
#[derive(Debug, Clone)]
pub(super) enum GivenFault {
    Read(Arc<Fault>),
    Written(String),
}

impl GivenFault {
    fn read(self, scenario: &Scenario) -> Result<Arc<Fault>, WorldError> {
        match self {
            Self::Read(fault) => Ok(fault),
            Self::Written(text) => match parse_fault(&Source::new("fault", &text), scenario) {
                Ok((fault, _)) => Ok(Arc::new(fault)),
                // It was read by the server that wrote it, which plays the same scenario.
                Err(_) => Err(WorldError::Defect),
            },
        }
    }
}

impl Serialize for GivenFault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(fault) => serializer.serialize_str(&serde_json::to_string(fault).map_err(S::Error::custom)?),
            Self::Written(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for GivenFault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::Written)
    }
}

impl Operation {
    pub(super) fn carry_out(self, play: &mut Play) -> Result<Outcome, WorldError> {
        Ok(match self {
            Self::Order(id, amount) => play.order(&id, amount).map(|()| Outcome::Done)?,
            Self::Orders(orders) => Outcome::Events(play.orders(&orders)?),
            Self::SetTotals(totals) => Outcome::Events(play.set_totals(&totals)?),
            Self::AddProduct(category, own) => Outcome::Products(play.add_product(&category, own)?),
            Self::AddFault(fault) => {
                let fault = fault.read(play.engine.scenario())?;
                Outcome::Fault(Box::new(play.add_fault(fault)?))
            }
            Self::ChangeFault(name, fault) => {
                let fault = fault.read(play.engine.scenario())?;
                Outcome::Fault(Box::new(play.change_fault(&name, fault)?))
            }
            Self::RemoveFault(name) => play.remove_fault(&name).map(|()| Outcome::Done)?,
            Self::ClearFaults => Outcome::Count(play.clear_faults()),
            Self::Reset(seed) => {
                play.reset(seed);
                Outcome::Done
            }
            Self::Save(name) => play.save(name).map(|()| Outcome::Done)?,
            Self::Restore(name) => play.restore(&name).map(|()| Outcome::Done)?,
            Self::Forget(name) => play.forget(&name).map(|()| Outcome::Done)?,
        })
    }
}

/// What is expected of an operation's kind; nothing of it if it is of another.
impl Outcome {
    pub(super) fn events(self) -> Vec<Event> {
        if let Self::Events(events) = self { events } else { Vec::new() }
    }

    pub(super) fn products(self) -> Bytes {
        if let Self::Products(products) = self { products } else { Bytes::new() }
    }

    pub(super) fn count(self) -> usize {
        if let Self::Count(count) = self { count } else { 0 }
    }

    pub(super) fn fault(self) -> Result<FaultState, WorldError> {
        if let Self::Fault(fault) = self { Ok(*fault) } else { Err(WorldError::Defect) }
    }
}
