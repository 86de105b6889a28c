//! Why decoding a value ends.

use std::fmt::{self, Display};

use serde::de;

use crate::scenario::problem::ProblemKind;

/// Why a value could not be decoded.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is in the list already.
    Reported,
    /// It is not, because only the caller knows the place.
    Unplaced(ProblemKind),
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reported => f.write_str("reported"),
            Self::Unplaced(kind) => kind.fmt(f),
        }
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: Display>(message: T) -> Self {
        Self::Unplaced(ProblemKind::WrongType { expected: message.to_string(), found: "something else".into() })
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Unplaced(ProblemKind::WrongType { expected: expected.to_string(), found: found.to_string() })
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }
}
