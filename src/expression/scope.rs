//! The scope of an expression: the values of names, and the runtime of its functions.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::Object;
use minijinja::{Error, ErrorKind, State, Value};
use serde_json::Value as Json;

use super::data::Data;

/// What functions depend on. Drawing random words and counting are the only side effects of an expression.
pub trait Runtime: Send + 'static {
    /// Returns the next word of the random stream.
    fn word(&mut self) -> u64;

    /// Increments a counter and returns its value: 1, 2, 3 …
    fn count(&mut self, counter: &str) -> u64;

    /// Returns the time in milliseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;

    /// Returns the number of members of a topic.
    fn joined(&self, topic: &str) -> u64;

    /// Returns the members of a topic, in a deterministic order.
    fn members(&self, topic: &str) -> Vec<Json>;
}

/// The name under which functions find the scope. Expressions cannot use it.
const SELF: &str = "\0";

/// The scope of the expressions of one template.
pub(super) struct Scope {
    roots: BTreeMap<String, Value>,
    runtime: Arc<Mutex<dyn Runtime>>,
    /// The value of the last expression.
    result: Mutex<Value>,
}

impl Scope {
    pub(super) fn new<'n>(
        names: impl IntoIterator<Item = &'n String>,
        roots: &dyn Fn(&str) -> Option<Data>,
        runtime: Arc<Mutex<dyn Runtime>>,
    ) -> Self {
        let value = |name: &String| {
            if name == NOW { Some(now(lock(&runtime).now())) } else { roots(name).map(Data::into_value) }
        };
        let roots = names.into_iter().filter_map(|name| Some((name.clone(), value(name)?))).collect();
        Self { roots, runtime, result: Mutex::default() }
    }

    /// Returns the scope of a running function.
    pub(super) fn of(state: &State) -> Result<Arc<Self>, Error> {
        let scope = state.lookup(SELF).and_then(|scope| scope.downcast_object());
        scope.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "there is no scope"))
    }

    pub(super) fn root(&self, name: &str) -> Value {
        self.roots.get(name).cloned().unwrap_or_default()
    }

    pub(super) fn runtime(&self) -> MutexGuard<'_, dyn Runtime + 'static> {
        lock(&self.runtime)
    }

    pub(super) fn put_result(&self, value: Value) {
        *lock(&self.result) = value;
    }

    pub(super) fn take_result(&self) -> Value {
        std::mem::take(&mut lock(&self.result))
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("roots", &self.roots).finish_non_exhaustive()
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == SELF { Some(Value::from_dyn_object(self.clone())) } else { self.roots.get(key).cloned() }
    }
}

/// Calls a function with shared access to the runtime, which is put back afterwards.
pub(super) fn with_shared<S: Runtime + Default, T>(
    runtime: &mut S,
    run: impl FnOnce(Arc<Mutex<dyn Runtime>>) -> T,
) -> T {
    let shared = Arc::new(Mutex::new(std::mem::take(runtime)));
    let result = run(shared.clone());
    *runtime = std::mem::take(&mut *lock(&shared));
    result
}

/// Locks a mutex, even a poisoned one: nothing panics while holding one of these locks, so the data is consistent.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of the current time.
pub(super) const NOW: &str = "now";

/// Returns a moment as `iso` (RFC 3339 in UTC), and as `ms` and `s` since the Unix epoch.
fn now(ms: i64) -> Value {
    let moment = jiff::Timestamp::from_millisecond(ms);
    let moment = moment.unwrap_or(if ms < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX });
    let iso = Value::from(format!("{moment:.3}"));
    Value::from_pairs([("iso", iso), ("ms", Value::from(ms)), ("s", Value::from(ms.div_euclid(1_000)))])
}
