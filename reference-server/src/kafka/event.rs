//! An issued coupon as a message: JSON, under the user's id as its key.

use serde::{Deserialize, Serialize};

use crate::coupon::{CouponId, UserCoupon, UserId};
use crate::timestamp::Timestamp;

/// What the message says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    /// Of the row to write, and of the event: a second one with the same id is the same event.
    id: i64,
    user_id: String,
    coupon_id: CouponId,
    /// Microseconds of Unix time.
    created_at: i64,
}

/// The text of the message.
pub(crate) fn write(coupon: &UserCoupon) -> String {
    let body = Body {
        id: coupon.id,
        user_id: coupon.user.as_str().to_owned(),
        coupon_id: coupon.coupon,
        created_at: coupon.created_at.as_micros(),
    };
    // Numbers and a text: there is nothing in it that JSON could not say.
    serde_json::to_string(&body).unwrap_or_default()
}

/// `None`: it is no event of ours.
pub(crate) fn read(text: &[u8]) -> Option<UserCoupon> {
    let body: Body = serde_json::from_slice(text).ok()?;
    Some(UserCoupon {
        id: body.id,
        coupon: body.coupon_id,
        user: UserId::new(&body.user_id)?,
        created_at: Timestamp::from_micros(body.created_at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let text = r#"{"id":7,"userId":"kim \"1\"","couponId":1,"createdAt":1740700800000001}"#;
        let coupon = read(text.as_bytes()).map(|coupon| write(&coupon));
        assert_eq!(coupon.as_deref(), Some(text));
        let others = [
            "",
            "7",
            r#"{"id":7}"#,
            r#"{"id":7,"userId":"","couponId":1,"createdAt":0}"#, // nobody
        ];
        for other in others {
            assert!(read(other.as_bytes()).is_none(), "{other}");
        }
    }
}
