//! Collections without counters, and values, that reloads have removed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Retained, forget_oldest};
use crate::engine::collections::{json_len, row_json_len};
use crate::engine::digest::Digest;
use crate::scenario::Row;

/// The maximum number of retained items.
const MAX_DATA: usize = 1_000;

/// The maximum size of all retained items as JSON, in bytes.
const MAX_DATA_BYTES: usize = 64 << 20;

/// A removed collection or value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RetainedData {
    name: Arc<str>,
    declared: Digest,
    bytes: usize,
    content: DataContent,
}

/// The content of a removed collection or value.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::engine) enum DataContent {
    Rows {
        /// The ids of the rows without declared ids, if a reload has given them others than at the start.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<Value>,
        /// Rows that continue declared ones.
        #[serde(with = "crate::engine::state::whole_rows")]
        declared: Vec<Arc<Row>>,
        #[serde(with = "crate::engine::state::whole_rows")]
        added: Vec<Arc<Row>>,
        highest: u64,
        uuids: u64,
    },
    Value(Arc<Value>),
}

impl DataContent {
    fn json_len(&self) -> usize {
        match self {
            Self::Rows { declared, added, .. } => declared.iter().chain(added).map(|row| row_json_len(row)).sum(),
            Self::Value(value) => json_len(value),
        }
    }
}

impl Retained {
    /// Retains the content of a name. `declared` is the digest of its declaration.
    pub(in crate::engine) fn keep_data(&mut self, name: Arc<str>, declared: Digest, content: DataContent) {
        self.change(|inner| {
            let bytes = content.json_len();
            inner.data.push(RetainedData { name, declared, bytes, content });
            forget_oldest(&mut inner.data, MAX_DATA);
            let mut bytes: usize = inner.data.iter().map(|data| data.bytes).sum();
            while bytes > MAX_DATA_BYTES {
                bytes -= inner.data.remove(0).bytes;
            }
        });
    }

    /// Takes the retained content of a name; `None` if nothing is retained or the declaration has changed.
    pub(in crate::engine) fn take_data(&mut self, name: &str, declared: impl Fn() -> Digest) -> Option<DataContent> {
        let index = self.0.as_ref()?.data.iter().position(|data| &*data.name == name)?;
        let removed = self.change(|inner| inner.data.remove(index));
        (removed.declared == declared()).then_some(removed.content)
    }
}
