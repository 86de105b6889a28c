//! The scripts that Redis runs atomically.
//!
//! The fields of a world's hash:
//!
//! - `n`: the last position
//! - `first`: the position of the world's first entry
//! - `checkpoint`: the checkpoint's position
//! - `at`: the world's time announced last (ns, always as text, since a Lua number would round it)
//! - `announced`: when `at` was announced (ms)
//! - `leader`: the server that leads
//! - `until`: when its lease ends (ms)
//! - `token`: the highest token issued
//! - `present:NAME`: until when the server NAME is present (ms)
//!
//! A lifetime is how long the keys are kept (ms); 0 means forever.

use std::time::Duration;

use redis::{Script, ScriptInvocation};

use crate::store::{Checkpoint, Claim, NewEntry, StoredEntry};

/// The log does not exist.
pub(super) const MISSING: i64 = -1;
/// A higher token was issued.
pub(super) const FENCED: i64 = -2;
/// Another server has the lead.
pub(super) const LED_BY_ANOTHER: i64 = 0;

/// The maximum number of entries read with the checkpoint; followers read the rest.
const MAX_READ: usize = 10_000;

/// How long an ended log can still be read, in milliseconds.
const READABLE_AFTER_END: u64 = 60_000;

/// The prelude of all scripts.
const COMMON: &str = "
    local meta, log, checkpoint = KEYS[1], KEYS[2], KEYS[3]
    local function field(name) return redis.call('HGET', meta, name) end
    local function now()
        local time = redis.call('TIME')
        return time[1] * 1000 + math.floor(time[2] / 1000)
    end
    local function set_lifetime(lifetime)
        if lifetime ~= '0' then
            for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, lifetime) end
        end
    end
    local function append(mark, text, at, lifetime)
        local position = redis.call('HINCRBY', meta, 'n', 1)
        redis.call('XADD', log, string.format('%d-1', position), 'mark', mark, 'text', text)
        redis.call('HSET', meta, 'at', at, 'announced', now())
        set_lifetime(lifetime)
        return position
    end
";

/// `ARGV`: the mode, the maximum number of entries to read, and mark, text, time and lifetime of the first entry.
const OPEN: &str = "
    local outcome, first = 'opened', field('first')
    if first and ARGV[1] == 'new' then return {'exists', 0, '', {}, 0, 0, 0} end
    if not first then
        if ARGV[1] == 'existing' then return {'missing', 0, '', {}, 0, 0, 0} end
        first = append(ARGV[3], ARGV[4], ARGV[5], ARGV[6])
        redis.call('HSET', meta, 'first', first, 'checkpoint', 0)
        outcome = 'created'
    end
    local position = tonumber(field('checkpoint'))
    local from = position > 0 and position or first
    local entries = redis.call('XRANGE', log, string.format('%d', from), '+', 'COUNT', ARGV[2])
    local is_led = tonumber(field('until') or 0) > now() and 1 or 0
    local state, age = redis.call('GET', checkpoint) or '', now() - field('announced')
    return {outcome, position, state, entries, field('at'), age, is_led}
";

/// `ARGV`: mark, text, time, lifetime, and the token or an empty text.
const APPEND: &str = "
    if not field('first') then return -1 end
    if ARGV[5] ~= '' and ARGV[5] ~= field('token') then return -2 end
    return append(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
";

/// `ARGV`: the server, its lease (ms), the world's time, the lifetime. Returns the token.
const LEAD: &str = "
    if not field('first') then return -1 end
    local now, leader = now(), field('leader')
    if leader ~= ARGV[1] and tonumber(field('until') or 0) > now then return 0 end
    if ARGV[2] == '0' then
        if leader == ARGV[1] then redis.call('HDEL', meta, 'leader', 'until') end
        return 0
    end
    if leader ~= ARGV[1] then redis.call('HINCRBY', meta, 'token', 1) end
    redis.call('HSET', meta, 'leader', ARGV[1], 'until', now + ARGV[2], 'at', ARGV[3], 'announced', now)
    set_lifetime(ARGV[4])
    return tonumber(field('token'))
";

/// `ARGV`: the server, and how long it is present (ms). Returns whether the log exists, and the servers present.
const PRESENT: &str = "
    if not field('first') then return {0, {}} end
    local now, present = now(), {}
    redis.call('HSET', meta, 'present:' .. ARGV[1], now + ARGV[2])
    local fields = redis.call('HGETALL', meta)
    for index = 1, #fields, 2 do
        local server = string.match(fields[index], '^present:(.*)$')
        if server and tonumber(fields[index + 1]) > now then
            table.insert(present, server)
        elseif server then
            redis.call('HDEL', meta, fields[index])
        end
    end
    return {1, present}
";

/// `ARGV`: position, state, and the position to trim at.
const SAVE_CHECKPOINT: &str = "
    local before = field('first') and tonumber(field('checkpoint'))
    if not before then return -1 end
    if before < tonumber(ARGV[1]) then
        redis.call('SET', checkpoint, ARGV[2], 'KEEPTTL')
        redis.call('HSET', meta, 'checkpoint', ARGV[1])
        redis.call('XTRIM', log, 'MINID', ARGV[3])
        local lifetime = redis.call('PTTL', log)
        if lifetime > 0 then redis.call('PEXPIRE', checkpoint, lifetime) end
    end
    return 0
";

/// `ARGV`: mark, text and time of an entry, and how long the log can still be read (ms).
const END: &str = "
    if not field('first') then return -1 end
    append(ARGV[1], ARGV[2], ARGV[3], '0')
    redis.call('HDEL', meta, 'first', 'leader', 'until')
    redis.call('DEL', checkpoint)
    set_lifetime(ARGV[4])
    return 0
";

/// The scripts, with the hashes that Redis identifies them by.
#[derive(Debug)]
pub(super) struct Scripts {
    open: Script,
    append: Script,
    lead: Script,
    present: Script,
    save_checkpoint: Script,
    end: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        let script = |body: &str| Script::new(&format!("{COMMON}{body}"));
        Self {
            open: script(OPEN),
            append: script(APPEND),
            lead: script(LEAD),
            present: script(PRESENT),
            save_checkpoint: script(SAVE_CHECKPOINT),
            end: script(END),
        }
    }
}

impl Scripts {
    pub(super) fn open(&self, keys: &[String; 3], mode: &str, first: Option<NewEntry<'_>>) -> ScriptInvocation<'_> {
        let mut call = with_keys(&self.open, keys);
        call.arg(mode).arg(MAX_READ);
        if let Some(first) = first {
            with_entry(&mut call, &first);
        }
        call
    }

    pub(super) fn append(&self, keys: &[String; 3], entry: &NewEntry<'_>) -> ScriptInvocation<'_> {
        let mut call = with_keys(&self.append, keys);
        with_entry(&mut call, entry);
        call.arg(entry.token.map(|token| token.0.to_string()).unwrap_or_default());
        call
    }

    pub(super) fn lead(&self, keys: &[String; 3], claim: &Claim<'_>) -> ScriptInvocation<'_> {
        let mut call = with_keys(&self.lead, keys);
        call.arg(claim.server).arg(millis(claim.lease)).arg(claim.at.as_nanos()).arg(lifetime(claim.lifetime));
        call
    }

    pub(super) fn present(&self, keys: &[String; 3], server: &str, time: Duration) -> ScriptInvocation<'_> {
        let mut call = with_keys(&self.present, keys);
        call.arg(server).arg(millis(time));
        call
    }

    pub(super) fn save_checkpoint(
        &self,
        keys: &[String; 3],
        checkpoint: &Checkpoint,
        cut: u64,
    ) -> ScriptInvocation<'_> {
        let mut call = with_keys(&self.save_checkpoint, keys);
        call.arg(checkpoint.position).arg(&checkpoint.state).arg(cut);
        call
    }

    pub(super) fn end(&self, keys: &[String; 3], entry: &NewEntry<'_>) -> ScriptInvocation<'_> {
        let mut call = with_keys(&self.end, keys);
        call.arg(entry.mark).arg(entry.text).arg(entry.at.as_nanos()).arg(READABLE_AFTER_END);
        call
    }
}

fn with_keys<'s>(script: &'s Script, keys: &[String; 3]) -> ScriptInvocation<'s> {
    let mut call = script.prepare_invoke();
    for key in keys {
        call.key(key);
    }
    call
}

fn with_entry(call: &mut ScriptInvocation<'_>, entry: &NewEntry<'_>) {
    call.arg(entry.mark).arg(entry.text).arg(entry.at.as_nanos()).arg(lifetime(entry.lifetime));
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Converts a lifetime; 0 means forever. Redis accepts no more than fits in an `i64` together with the time of day.
fn lifetime(time: Option<Duration>) -> u64 {
    const MAX: u64 = 1 << 50;
    time.map_or(0, |time| millis(time).clamp(1, MAX))
}

/// Entries as a stream returns them: the id, and the names and values of the two fields.
pub(super) type RawEntries = Vec<(String, (String, String, String, String))>;

pub(super) fn entries(raw: RawEntries) -> Vec<StoredEntry> {
    let entry = |(id, (_, mark, _, text)): (String, _)| {
        let position = id.split('-').next().and_then(|position| position.parse().ok());
        // The script above creates all ids.
        StoredEntry { position: position.unwrap_or_default(), mark, text }
    };
    raw.into_iter().map(entry).collect()
}

/// Returns the id of an entry in a stream.
pub(super) fn id(position: u64) -> String {
    format!("{position}-1")
}
