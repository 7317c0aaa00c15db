//! Where `redisson` keeps a coupon in Redis, and how it gets there from the tables.

use redis::{RedisError, Script};

use super::StockPreload;
use crate::coupon::CouponId;
use crate::redis_store::{ID_KEY, RedisStore, users_key};

const PREFIX: &str = "coupon:";

/// What is left of a coupon: a number.
pub(super) fn left_key(coupon: CouponId) -> String {
    format!("{PREFIX}{coupon}")
}

/// The coupon whose number is under this key. `None`: the key is for something else.
pub(super) fn coupon_of(key: &str) -> Option<CouponId> {
    let coupon = key.strip_prefix(PREFIX)?.parse().ok()?;
    // `+1` and `01` are read as numbers too, and are other keys.
    (left_key(coupon) == key).then_some(coupon)
}

/// Keys that may be those of a coupon, among others.
pub(super) const PATTERN: &str = "coupon:*";

/// Stock and holders in one step. The id only rises, so that rows from elsewhere do not meet
/// their ids again.
const PRELOAD: &str = "
if tonumber(redis.call('GET', KEYS[3]) or '0') < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[3], ARGV[2])
end
if ARGV[3] == 'keep' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('DEL', KEYS[2])
for i = 4, #ARGV do redis.call('SADD', KEYS[2], ARGV[i]) end
redis.call('SET', KEYS[1], ARGV[1])
return 1
";

/// A coupon as the tables have it.
pub(super) struct Preload {
    pub(super) id: CouponId,
    pub(super) left: i64,
    pub(super) holders: Vec<String>,
    pub(super) highest_id: i64,
}

/// Puts a coupon into Redis, and says whether it was put.
pub(super) async fn preload(
    redis: &RedisStore,
    coupon: &Preload,
    how: StockPreload,
) -> Result<bool, RedisError> {
    Script::new(PRELOAD)
        .key(left_key(coupon.id))
        .key(users_key(coupon.id))
        .key(ID_KEY)
        .arg(coupon.left)
        .arg(coupon.highest_id)
        .arg(match how {
            StockPreload::Keep => "keep",
            StockPreload::Overwrite => "overwrite",
        })
        .arg(&coupon.holders)
        .invoke_async(&mut redis.connection())
        .await
}

#[cfg(test)]
mod tests {
    use super::coupon_of;

    #[test]
    fn only_a_number_after_the_prefix_is_a_coupon() {
        let cases = [
            ("coupon:1", Some(1)),
            ("coupon:-7", Some(-7)),
            ("coupon:1:users", None),
            ("coupon:1:info", None),
            ("coupon:+1", None), // another key than coupon:1
            ("coupon:01", None),
            ("coupon:", None),
            ("lock:coupon:1", None),
        ];
        for (key, coupon) in cases {
            assert_eq!(coupon_of(key), coupon, "{key}");
        }
    }
}
