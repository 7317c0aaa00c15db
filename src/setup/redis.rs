//! Commands for a Redis server; for many users, as pipelines.

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, Value};

use super::{Done, Work, quoted};
use crate::plan::{Template, Values};

/// Users of one pipeline.
const PIPELINE: u64 = 1_000;

pub(super) async fn run(
    work: &Work<'_>,
    url: &str,
    commands: &[Vec<Template>],
) -> Result<Done, String> {
    let mut connection = work.within(connect(work, url)).await?;
    let Some(crowd) = &work.crowd else {
        return once(work, &mut connection, commands).await;
    };
    let (mut done, mut place) = (Done::default(), 0);
    while place < crowd.count() {
        let end = crowd.count().min(place + PIPELINE);
        let mut pipeline = Pipeline::new();
        for place in place..end {
            let member = crowd.member(place);
            for words in commands {
                pipeline.add_command(command(words, &member.values()));
            }
        }
        let asking = pipeline.query_async::<Vec<Value>>(&mut connection);
        let answers = work.within(async { asking.await.map_err(|error| words_of(&error)) });
        done.rows += answers.await?.len() as u64;
        place = end;
        (work.progress)(place);
    }
    Ok(done)
}

async fn once(
    work: &Work<'_>,
    connection: &mut MultiplexedConnection,
    commands: &[Vec<Template>],
) -> Result<Done, String> {
    let mut last = Value::Nil;
    for words in commands {
        let command = command(words, &work.once());
        let asking = command.query_async::<Value>(connection);
        let answer = work.within(async { asking.await.map_err(|error| words_of(&error)) });
        last = answer.await?;
    }
    Ok(Done {
        rows: commands.len() as u64,
        captured: match work.step.captures.as_slice() {
            [] => Vec::new(),
            _ => vec![text(last)?],
        },
    })
}

async fn connect(work: &Work<'_>, url: &str) -> Result<MultiplexedConnection, String> {
    // The error itself may repeat parts of the URL.
    let client = Client::open(url).map_err(|_| "the url is no well-formed Redis URL".to_owned())?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(work.step.timeout))
        .set_response_timeout(None);
    let connecting = client.get_multiplexed_async_connection_with_config(&config);
    connecting.await.map_err(|error| words_of(&error))
}

fn command(words: &[Template], values: &Values<'_>) -> Cmd {
    let mut command = Cmd::new();
    for word in words {
        let mut argument = Vec::new();
        word.render(values, &mut argument);
        command.arg(argument);
    }
    command
}

fn words_of(error: &RedisError) -> String {
    quoted(&error.to_string())
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::Int(number) => Ok(number.to_string()),
        Value::Double(number) => Ok(number.to_string()),
        Value::Okay => Ok("OK".to_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(text),
        Value::BulkString(bytes) => {
            String::from_utf8(bytes).map_err(|_| "what is captured is not text".to_owned())
        }
        Value::Nil => Err("there is nothing to capture: the key is missing".to_owned()),
        _ => Err("what is captured is not one value".to_owned()),
    }
}
