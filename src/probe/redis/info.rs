//! What Redis counts of itself, in the text of its command `INFO`.

use std::sync::Mutex;

use ::redis::{Client, Value};

use super::{LIMIT, RedisProbe, shape_of};
use crate::measure::{Quantities, Quantity};
use crate::probe::error::Fault;

/// The lines of `INFO` by name.
const LINES: [(&str, Quantity); 5] = [
    ("connected_clients", Quantity::Connections),
    ("blocked_clients", Quantity::BlockedClients),
    ("total_commands_processed", Quantity::Commands),
    ("rejected_connections", Quantity::RejectedConnections),
    ("used_memory", Quantity::UsedMemoryBytes),
];

/// A server that is asked again and again, on one connection.
#[derive(Debug)]
pub(in crate::probe) struct InfoProbe(RedisProbe);

impl InfoProbe {
    pub(in crate::probe) fn new(url: &str) -> Result<Self, Fault> {
        // The error itself may repeat parts of the URL.
        let client = Client::open(url).map_err(|_| Fault::asked("is no well-formed Redis URL"))?;
        Ok(Self(RedisProbe {
            client,
            command: vec!["INFO".to_owned()],
            idle: Mutex::new(None),
        }))
    }

    pub(in crate::probe) async fn read(&self) -> Result<Quantities, Fault> {
        let answer = self.0.ask(&self.0.command, LIMIT).await?;
        let text = match &answer {
            Value::BulkString(bytes) => String::from_utf8_lossy(bytes),
            Value::VerbatimString { text, .. } | Value::SimpleString(text) => text.into(),
            other => {
                let words = format!("answered INFO with {}", shape_of(other));
                return Err(Fault::answer(words));
            }
        };
        let figures = figures(&text);
        if figures.is_empty() {
            return Err(Fault::answer("answered INFO without any figure"));
        }
        Ok(figures)
    }
}

/// Sections begin with `#`; a line is a name and a value.
fn figures(text: &str) -> Quantities {
    let figure = |line: &str| {
        let (name, value) = line.trim().split_once(':')?;
        let (_, quantity) = LINES.iter().find(|(known, _)| *known == name)?;
        Some((*quantity, value.parse().ok()?))
    };
    text.lines().filter_map(figure).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_found_among_all_that_redis_says() {
        let text = "# Server\r\nredis_version:7.0.15\r\nos:Linux: 6.1\r\n\r\n# Clients\r\n\
                    connected_clients:17\r\nblocked_clients:2\r\n# Memory\r\nused_memory:1048576\r\n\
                    used_memory_human:1.00M\r\n# Stats\r\ntotal_commands_processed:123456\r\n\
                    rejected_connections:0\r\n";
        let expected = Quantities::from([
            (Quantity::Connections, 17),
            (Quantity::BlockedClients, 2),
            (Quantity::UsedMemoryBytes, 1_048_576),
            (Quantity::Commands, 123_456),
            (Quantity::RejectedConnections, 0),
        ]);
        assert_eq!(figures(text), expected);
    }

    #[test]
    fn a_figure_that_is_no_number_is_not_there() {
        for text in [
            "",
            "connected_clients",
            "connected_clients:",
            "connected_clients:many",
        ] {
            assert_eq!(figures(text), Quantities::new(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text: String) {
            let _ = figures(&text);
        }
    }
}
