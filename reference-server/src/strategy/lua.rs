//! The scripts of the strategies that decide in Redis: each is one step for Redis, which runs nothing else meanwhile.

use redis::{RedisError, Script};

use crate::bug::Bugs;
use crate::coupon::{CouponId, IssueError, UserId};
use crate::redis_store::{ID_KEY, RedisStore, stock_key, users_key};
use crate::timestamp::Timestamp;

/// Stock and duplicate in one step. The time is Redis' own: in the order of the ids on however
/// many servers. The words in capitals are conditions; a bug puts another one there.
const TAKE: &str = "
local stock = redis.call('GET', KEYS[1])
if not stock then return {'not_loaded', 0, 0, 0} end
if DUPLICATE then return {'duplicate', 0, 0, 0} end
if SOLD_OUT then return {'sold_out', 0, 0, 0} end
local left = redis.call('DECR', KEYS[1])
if WITHHELD then return {'withheld', 0, 0, 0} end
redis.call('SADD', KEYS[2], ARGV[1])
local now = redis.call('TIME')
return {'issued', redis.call('INCR', KEYS[3]), tonumber(now[1]), tonumber(now[2])}
";

/// A stock that is there is the truth, and kept: the rows behind it may not be written yet. The
/// id only rises, so that rows from elsewhere do not meet their ids again.
const LOAD: &str = "
if tonumber(redis.call('GET', KEYS[3]) or '0') < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[3], ARGV[2])
end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('DEL', KEYS[2])
for i = 3, #ARGV do redis.call('SADD', KEYS[2], ARGV[i]) end
redis.call('SET', KEYS[1], ARGV[1])
return 1
";

/// One who is not among the users was given back already.
const GIVE_BACK: &str = "
if redis.call('SREM', KEYS[2], ARGV[1]) == 1 then return redis.call('INCR', KEYS[1]) end
return redis.call('GET', KEYS[1])
";

/// What Redis decided.
pub(super) enum Decision {
    Issued {
        id: i64,
        at: Timestamp,
    },
    Duplicate,
    SoldOut,
    /// Taken from the stock and given to nobody: only a bug does that.
    Withheld,
}

/// How the stock is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Taking {
    IfLeft,
    /// On the word of an earlier look.
    Blindly,
}

/// The scripts, ready to be called by their hashes.
pub(super) struct Scripts {
    take_if_left: Script,
    take_blindly: Script,
}

impl Scripts {
    pub(super) fn new(bugs: &Bugs) -> Self {
        let sold_out = if bugs.compares_text_with_number() {
            "stock == 0"
        } else {
            "tonumber(stock) <= 0"
        };
        Self {
            take_if_left: Script::new(&take(bugs, sold_out)),
            take_blindly: Script::new(&take(bugs, "false")),
        }
    }

    pub(super) async fn take(
        &self,
        redis: &RedisStore,
        coupon: CouponId,
        user: &UserId,
        taking: Taking,
    ) -> Result<Decision, IssueError> {
        let script = match taking {
            Taking::IfLeft => &self.take_if_left,
            Taking::Blindly => &self.take_blindly,
        };
        let (answer, id, seconds, micros): (String, i64, i64, i64) = script
            .key(stock_key(coupon))
            .key(users_key(coupon))
            .key(ID_KEY)
            .arg(user.as_str())
            .invoke_async(&mut redis.connection())
            .await?;
        match answer.as_str() {
            "issued" => Ok(Decision::Issued {
                id,
                at: Timestamp::from_micros(seconds * 1_000_000 + micros),
            }),
            "duplicate" => Ok(Decision::Duplicate),
            "sold_out" => Ok(Decision::SoldOut),
            "withheld" => Ok(Decision::Withheld),
            _ => Err(IssueError::NotLoaded),
        }
    }
}

fn take(bugs: &Bugs, sold_out: &str) -> String {
    let duplicate = if bugs.looks_for_an_earlier_coupon() {
        "redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1"
    } else {
        "false"
    };
    let withheld = if bugs.may_refuse_the_last() {
        "left <= 0"
    } else {
        "false"
    };
    TAKE.replace("DUPLICATE", duplicate)
        .replace("SOLD_OUT", sold_out)
        .replace("WITHHELD", withheld)
}

/// Undoes one taking.
pub(super) async fn give_back(
    redis: &RedisStore,
    coupon: CouponId,
    user: &UserId,
) -> Result<(), RedisError> {
    Script::new(GIVE_BACK)
        .key(stock_key(coupon))
        .key(users_key(coupon))
        .arg(user.as_str())
        .invoke_async(&mut redis.connection())
        .await
}

/// Takes the stock away, so that it is loaded: only a bug does that to one that is there.
pub(super) async fn forget_stock(redis: &RedisStore, coupon: CouponId) -> Result<(), RedisError> {
    redis::cmd("DEL")
        .arg(stock_key(coupon))
        .query_async(&mut redis.connection())
        .await
}

/// A coupon as the tables have it.
pub(super) struct Loaded {
    pub(super) coupon: CouponId,
    pub(super) stock: i64,
    pub(super) holders: Vec<String>,
    pub(super) highest_id: i64,
}

/// Puts a coupon into Redis unless it is there, and says whether it was put.
pub(super) async fn load(redis: &RedisStore, loaded: &Loaded) -> Result<bool, RedisError> {
    Script::new(LOAD)
        .key(stock_key(loaded.coupon))
        .key(users_key(loaded.coupon))
        .key(ID_KEY)
        .arg(loaded.stock)
        .arg(loaded.highest_id)
        .arg(&loaded.holders)
        .invoke_async(&mut redis.connection())
        .await
}
