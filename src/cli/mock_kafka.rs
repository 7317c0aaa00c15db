//! `mock-kafka`: the Kafka that the harness starts for the provider `embedded`; not for people.

use clap::Args;

use crate::exit::Exit;
use crate::output::say;
use crate::stack;

#[derive(Debug, Args)]
pub(super) struct MockKafkaArgs {
    /// How many there are
    #[arg(long, value_name = "N")]
    brokers: u8,
    /// Of the topic of the events
    #[arg(long, value_name = "N")]
    partitions: u16,
}

pub(super) fn run(args: &MockKafkaArgs) -> Exit {
    match stack::be_kafka(args.brokers, args.partitions) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            say!("error: failed to be the Kafka of a run: {error}");
            Exit::NotReady
        }
    }
}
