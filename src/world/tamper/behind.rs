//! How far a socket is behind, once a fault has withheld or falsified something.

/// What the socket has to be told again when all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Behind {
    /// The totals that changed after that event.
    After(u64),
    /// Everything.
    All,
}

/// Where to begin again for a frame that tells of that event, or of none.
pub(super) fn before(event: Option<u64>) -> Behind {
    event.map_or(Behind::All, |event| Behind::After(event.saturating_sub(1)))
}

/// The one of two that tells more.
pub(super) fn earlier(one: Option<Behind>, other: Option<Behind>) -> Option<Behind> {
    match (one, other) {
        (Some(Behind::After(one)), Some(Behind::After(other))) => Some(Behind::After(one.min(other))),
        (Some(Behind::All), _) | (_, Some(Behind::All)) => Some(Behind::All),
        (one, other) => one.or(other),
    }
}
