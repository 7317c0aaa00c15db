//! Records of each format: what becomes of them, and what is refused by line.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn asked(format: Format, map: &[&str]) -> Asked {
    Asked {
        format,
        map: map.iter().map(ToString::to_string).collect(),
        only: Vec::new(),
        skew: Duration::ZERO,
    }
}

fn read(asked: &Asked, text: &str) -> Result<(Vec<Record>, LeftOut), String> {
    let settings = Settings::of(asked).map_err(|error| error.to_string())?;
    let records = Records::of(&settings, "x", text.as_bytes());
    let mut records = records.map_err(|error| error.to_string())?;
    let read: Result<Vec<_>, _> = records.by_ref().collect();
    let read = read.map_err(|error| error.to_string())?;
    Ok((read, records.left_out()))
}

fn point(metric: &str, time: &str, ms: &str, tags: &str) -> String {
    format!(
        r#"{{"type":"Point","metric":"{metric}","data":{{"time":"{time}","value":{ms},"tags":{tags}}}}}"#
    ) + "\n"
}

/// 2026-03-01T12:30:00Z in nanoseconds of Unix time.
const NOON: u64 = 1_772_368_200_000_000_000;
const MS: u64 = 1_000_000;

#[test]
fn a_point_of_k6_ends_at_its_time_and_began_its_value_before() {
    let metric = r#"{"type":"Metric","metric":"http_req_duration","data":{"type":"trend"}}"#;
    let text = format!("{metric}\n")
        + &point("http_reqs", "2026-03-01T12:30:00Z", "1", r#"{"user":"1"}"#)
        + &point(
            "http_req_duration",
            "2026-03-01T21:30:00.500+09:00",
            "20.5",
            r#"{"user":"kim","status":"201","url":"http://shop/coupons/7/issue"}"#,
        );
    let asked = asked(Format::K6, &["user=user", "coupon=url~coupons/([0-9]+)/"]);
    let (records, left_out) = read(&asked, &text).expect("readable");
    let expected = Record {
        user: "kim".to_owned(),
        // Written to the millisecond and to a tenth of one: both widen the interval.
        start_ns: NOON + 500 * MS - 20_600_000,
        end_ns: NOON + 501 * MS,
        status: 201,
        failure: None,
        body: None,
        outcome: None,
        coupon: Some("7".to_owned()),
        line: 3,
    };
    assert_eq!(records, [expected]);
    let cut_off = false;
    assert_eq!(left_out, LeftOut { others: 2, cut_off });
}

#[test]
fn only_the_last_line_of_k6_may_be_cut_off_and_it_is_said() {
    let whole = point(
        "http_req_duration",
        "2026-03-01T12:30:00Z",
        "1",
        r#"{"user":"1","status":"200"}"#,
    );
    let asked = asked(Format::K6, &["user=user"]);
    let torn = format!("{whole}{}", &whole[..whole.len() - 9]);
    let (records, left_out) = read(&asked, &torn).expect("readable");
    assert_eq!((records.len(), left_out.cut_off), (1, true));
    let in_the_middle = format!("{}\n{whole}", &whole[..whole.len() - 9]);
    let error = read(&asked, &in_the_middle).expect_err("damaged");
    assert!(error.starts_with("x:1: it is no JSON object: "), "{error}");
}

#[test]
fn what_k6_never_sent_did_not_happen_and_the_rest_may_have() {
    use crate::history::{Cause, OutcomeKind::NotSent, OutcomeKind::Unknown};
    let table = [
        ("1101", (NotSent, Cause::ConnectFailed)),
        ("1211", (NotSent, Cause::ConnectTimeout)),
        ("1212", (NotSent, Cause::ConnectRefused)),
        ("1310", (NotSent, Cause::TlsFailed)),
        ("1050", (Unknown, Cause::Timeout)),
        ("1220", (Unknown, Cause::ConnectionLost)),
        ("1000", (Unknown, Cause::ConnectionLost)),
    ];
    for (code, failure) in table {
        let tags = format!(r#"{{"user":"1","status":"0","error_code":"{code}"}}"#);
        let text = point("http_req_duration", "2026-03-01T12:30:00Z", "1", &tags);
        let (records, _) = read(&asked(Format::K6, &["user=user"]), &text).expect("readable");
        assert_eq!(records[0].failure, Some(failure), "{code}");
    }
}

const JTL: &str = "timeStamp,elapsed,label,responseCode,responseMessage,user,answer\n";

#[test]
fn a_row_of_jmeter_starts_at_its_time() {
    let text = format!(
        "{JTL}1772368200000,12,issue,201,Created,17,\"{{\"\"id\"\":5}}\n\"\n\
         1772368200001,1,look,200,OK,17,\n\
         1772368200002,3,issue,Non HTTP response code: org.apache.http.conn.HttpHostConnectException,refused,18,\n"
    );
    let mut asked = asked(Format::Jmeter, &["user=user", "body=answer"]);
    asked.only.push("label=issue".to_owned());
    asked.skew = Duration::from_millis(5);
    let (records, left_out) = read(&asked, &text).expect("readable");
    assert_eq!((records.len(), left_out.others), (2, 1));
    let one = &records[0];
    let times = (one.start_ns, one.end_ns);
    assert_eq!(times, (NOON - 5 * MS, NOON + (1 + 13 + 5) * MS));
    assert_eq!(
        (one.status, one.body.as_deref()),
        (201, Some("{\"id\":5}\n"))
    );
    let refused = (OutcomeKind::NotSent, Cause::ConnectRefused);
    assert_eq!((records[1].failure, records[1].line), (Some(refused), 5));
}

#[test]
fn requests_of_locust_are_read_and_its_statistics_refused() {
    let text = "name,start_time,response_time,status_code,exception,user\n\
                /issue,1772368200.25,7.5,409,,3\n\
                /issue,1772368200.5,10,,ReadTimeout,4\n";
    let (records, _) = read(&asked(Format::Locust, &["user=user"]), text).expect("readable");
    assert_eq!(records[0].start_ns, NOON + 250 * MS);
    assert_eq!(records[0].status, 409);
    let unknown = (OutcomeKind::Unknown, Cause::Timeout);
    assert_eq!(records[1].failure, Some(unknown));
    for statistics in [
        "Type,Name,Request Count,Failure Count\nGET,/issue,7,0\n",
        "Timestamp,User Count,Type,Name,Requests/s\n1,2,GET,/issue,4\n",
    ] {
        let error = read(&asked(Format::Locust, &["user=user"]), statistics);
        let error = error.expect_err("sums");
        assert!(error.contains("statistics, which are sums"), "{error}");
    }
}

#[test]
fn an_access_log_is_read_as_it_is_mapped() {
    let map = [
        "user=/who/id",
        "start=at",
        "end=until",
        "unit=ns",
        "status=code",
        "body=answer",
    ];
    let text =
        "{\"who\":{\"id\":9},\"at\":1000,\"until\":2000,\"code\":200,\"answer\":{\"id\":4}}\n\n";
    let (records, _) = read(&asked(Format::Jsonl, &map), text).expect("readable");
    let one = &records[0];
    assert_eq!(
        (one.user.as_str(), one.start_ns, one.end_ns),
        ("9", 1000, 2001)
    );
    assert_eq!(one.body.as_deref(), Some("{\"id\":4}"));
}

#[test]
fn a_bad_record_is_named_with_its_line() {
    let map = [
        "user=user",
        "start=at",
        "unit=ms",
        "duration=took",
        "status=code",
    ];
    let good = r#"{"user":1,"at":5,"took":1,"code":200}"#;
    // The second line, and what is said of it.
    let table = [
        (
            r#"{"at":5,"took":1,"code":200}"#,
            "it names no user: `user` is missing",
        ),
        (r#"{"user":1,"took":1,"code":200}"#, "`at` is missing"),
        (
            r#"{"user":1,"at":-5,"took":1,"code":200}"#,
            "`at` is `-5`, not a number",
        ),
        (
            r#"{"user":1,"at":5,"took":"1e9","code":200}"#,
            "`took` is `1e9`, not a number",
        ),
        (
            r#"{"user":1,"at":5,"took":1,"code":99}"#,
            "`99` is no HTTP status",
        ),
        (
            r#"{"user":1,"at":5,"took":1,"code":"fine"}"#,
            "`fine` is no HTTP status",
        ),
        (
            r#"{"user":1,"at":5,"took":1}"#,
            "it has neither a status nor an error",
        ),
        ("[1]", "it is no JSON object"),
        ("{\"user\":1", "it is no JSON object: "),
    ];
    for (bad, words) in table {
        let error = read(&asked(Format::Jsonl, &map), &format!("{good}\n{bad}\n"));
        let error = error.expect_err(bad);
        assert!(
            error.starts_with(&format!("x:2: {words}")),
            "{bad}: {error}"
        );
    }
    let long = format!("{good}\n{{\"user\":\"{}\"}}\n", "x".repeat(LONGEST_LINE));
    let error = read(&asked(Format::Jsonl, &map), &long).expect_err("too long");
    assert!(error.starts_with("x:2: a line is longer than"), "{error}");
}

#[test]
fn a_damaged_csv_is_refused_by_line_and_without_filling_the_memory() {
    let row = "1772368200000,12,issue,201,Created,17,\n";
    let asked = asked(Format::Jmeter, &["user=user", "body=answer"]);
    let unclosed = format!(
        "{JTL}{row}1772368200000,12,issue,201,\"{}",
        row.repeat(60_000)
    );
    // The text, and what is said of it.
    let table = [
        (
            format!("{JTL}{row}1,2\n"),
            "x:3: it has 2 columns, and the head has 7",
        ),
        (
            "a,b\n1,2\n".to_owned(),
            "x:1: the head has no column `user`, `responseCode`",
        ),
        (unclosed, "a row is longer than"),
    ];
    for (text, words) in table {
        let error = read(&asked, &text).expect_err(words);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn settings_that_are_not_enough_say_all_that_is_missing() {
    let error = Settings::of(&asked(Format::Jsonl, &["colour=x", "user"]));
    let error = error.expect_err("not enough").to_string();
    for words in [
        "there is no key `colour`; there are user, start",
        "`--map user` is not KEY=FIELD",
        "who asked is not known",
        "when attempts were under way is not known",
        "in what times are written is not known",
        "what was answered is not known",
    ] {
        assert!(error.contains(words), "no {words:?} in {error}");
    }
    let table: [(Format, &[&str], &str); 5] = [
        (Format::K6, &["user=u", "user=v"], "`user` is mapped twice"),
        (Format::Jmeter, &["user=u", "metric=m"], "`metric` is of k6"),
        (Format::K6, &["user=u~("], "no regular expression"),
        (
            Format::Jmeter,
            &["user=u", "unit=h"],
            "`h` is no unit of time",
        ),
        (
            Format::Jsonl,
            &[
                "user=u",
                "start=a",
                "unit=rfc3339",
                "duration=d",
                "status=s",
            ],
            "in what durations are written is not known",
        ),
    ];
    for (format, map, words) in table {
        let error = Settings::of(&asked(format, map)).expect_err(words);
        assert!(error.to_string().contains(words), "no {words:?} in {error}");
    }
}

/// A text with its parts moved, cut and repeated.
fn damaged(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::collection::vec((0..text.len(), 0_usize..40, any::<u8>()), 0..12);
    pieces.prop_map(move |pieces| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, length, byte) in pieces {
            let piece = text.as_bytes()[at..(at + length).min(text.len())].to_vec();
            let at = usize::from(byte) * bytes.len() / 256;
            match byte % 3 {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.splice(at..at, piece).for_each(drop),
                _ => bytes[at] = byte,
            }
        }
        bytes
    })
}

const WHOLE: [(Format, &[&str], &str); 3] = [
    (
        Format::K6,
        &["user=url~([0-9]+)"],
        "{\"type\":\"Point\",\"metric\":\"http_req_duration\",\"data\":{\"time\":\
         \"2026-03-01T12:30:00.5+09:00\",\"value\":2.5,\"tags\":{\"url\":\"/17\",\"status\":\"201\"}}}\n",
    ),
    (
        Format::Jmeter,
        &["user=user", "body=answer"],
        "timeStamp,elapsed,responseCode,user,answer\n1772368200000,12,201,17,\"{\"\"id\"\":5}\"\n\
         1772368200000,12,Non HTTP response code: x.SSLHandshakeException,18,\n",
    ),
    (
        Format::Jsonl,
        &[
            "user=/u/0",
            "start=a",
            "end=b",
            "unit=s",
            "status=s",
            "error=e",
        ],
        "{\"u\":[7],\"a\":1772368200.25,\"b\":1772368201,\"s\":0,\"e\":\"ReadTimeout\"}\n",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn damaged_records_are_refused_or_read_and_nothing_panics(
        (which, bytes) in (0..WHOLE.len()).prop_flat_map(|at| (Just(at), damaged(WHOLE[at].2))),
    ) {
        let (format, map, _) = WHOLE[which];
        let settings = Settings::of(&asked(format, map)).expect("they are right");
        if let Ok(records) = Records::of(&settings, "x", bytes.as_slice()) {
            let read = records.take_while(Result::is_ok).flatten();
            let read: Vec<Record> = read.collect();
            prop_assert!(read.iter().all(|record| record.start_ns <= record.end_ns));
            prop_assert!(read.len() <= bytes.len());
        }
    }
}

#[test]
fn undamaged_records_are_all_read() {
    for (format, map, text) in WHOLE {
        let (records, _) = read(&asked(format, map), text).expect("readable");
        let heads = usize::from(format == Format::Jmeter);
        assert_eq!(records.len(), text.lines().count() - heads, "{format}");
    }
}
