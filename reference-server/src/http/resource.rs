//! Which event a request of document C is about.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use crate::coupon::CouponId;

/// A resource as it is sent: a number, or a text. Only numbers name a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resource(Option<CouponId>);

impl Resource {
    pub(crate) fn from_text(text: &str) -> Self {
        Self(text.parse().ok())
    }

    /// The coupon of the event, if it can have one.
    pub(crate) fn coupon(self) -> Option<CouponId> {
        self.0
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrInteger;

        impl Visitor<'_> for TextOrInteger {
            type Value = Resource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("resourceId as a text or an integer")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Resource, E> {
                Ok(Resource::from_text(text))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Resource, E> {
                Ok(Resource(number.try_into().ok()))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Resource, E> {
                Ok(Resource(Some(number)))
            }
        }

        deserializer.deserialize_any(TextOrInteger)
    }
}
