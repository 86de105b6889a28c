//! An entry in brief: what a list shows of it. An entry that names thousands of sockets is as short as any other.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Entry, Payload, Record};
use crate::scenario::format_duration;

/// An entry as one flat JSON object without headers, with the beginning of its body or frame as `text`, and with the number
/// of sockets as `count` if it went to several.
#[derive(Debug, Clone)]
pub struct Brief {
    /// The entry.
    pub entry: Entry,
    /// Characters of a body or frame that are shown.
    pub shown: usize,
}

impl Serialize for Brief {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entry, shown } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("sequence", &entry.sequence)?;
        map.serialize_entry("at", &format_duration(entry.at))?;
        map.serialize_entry("kind", &entry.kind().to_string())?;
        match entry.sockets() {
            [] => {}
            [socket] => map.serialize_entry("socket", socket)?,
            sockets => map.serialize_entry("count", &sockets.len())?,
        }
        if let Some(text) = entry.payload().and_then(Payload::as_text) {
            map.serialize_entry("text", beginning(text, *shown))?;
        }
        match &entry.record {
            Record::Request(exchange) => {
                map.serialize_entry("method", exchange.head.method())?;
                map.serialize_entry("path", exchange.head.path())?;
                map.serialize_entry("query", &exchange.head.query())?;
                map.serialize_entry("status", &exchange.answer.get().map(|answer| answer.status))?;
                map.serialize_entry("fault", &exchange.faults.first().map(|mark| &mark.fault))?;
            }
            Record::Opened { category, .. } => map.serialize_entry("category", category)?,
            Record::Closed { end, .. } => {
                map.serialize_entry("code", &end.code)?;
                map.serialize_entry("by", end.by.as_str())?;
            }
            Record::Faulted { fault, did, .. } => {
                map.serialize_entry("fault", fault)?;
                map.serialize_entry("did", did)?;
            }
            Record::Sent { .. } | Record::Received { .. } | Record::Behind { .. } => {}
        }
        map.end()
    }
}

fn beginning(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}
