//! `new`: a first scenario from flags, or from a few questions on a terminal.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use serde_json::Value as Json;

use super::file;
use crate::exit::Exit;
use crate::output::{say, to_stderr};
use crate::plan::{self, Overrides};
use crate::scenario::value::{Count, Name, Span, Url};
use crate::starter::{Issue, Means, Starter};

/// What can be said at once; what is missing is asked for on a terminal.
#[derive(Debug, Args)]
pub(super) struct NewArgs {
    /// Where the system is, such as `http://127.0.0.1:8080`
    #[arg(long)]
    url: Option<String>,

    /// The request that gives something away: "POST /coupons/1/issue"
    #[arg(long, value_name = "REQUEST")]
    issue: Option<String>,

    /// Its JSON body, empty for none [default: {"userId":"{{ user }}"}]
    #[arg(long, value_name = "JSON")]
    body: Option<String>,

    /// How many there are
    #[arg(long, value_name = "N")]
    stock: Option<String>,

    /// What a confirmation looks like: STATUS, "STATUS text" or "STATUS /pointer=value" [default: 2xx]
    #[arg(long, value_name = "ANSWER")]
    issued: Option<String>,

    /// What sold out looks like, likewise
    #[arg(long, value_name = "ANSWER")]
    sold_out: Option<String>,

    /// What "you have one already" looks like, likewise
    #[arg(long, value_name = "ANSWER")]
    duplicate: Option<String>,

    /// The database with the issued rows: mysql:, postgres: or sqlite:
    #[arg(long, value_name = "URL")]
    sql: Option<String>,

    /// The query that returns user, own id and time of each issued row
    #[arg(long, value_name = "SELECT")]
    query: Option<String>,

    /// Users at the same time [default: 100]
    #[arg(long, value_name = "N")]
    vus: Option<String>,

    /// How long they ask [default: 30s]
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<String>,

    /// Where the scenario goes [default: my-system.yaml]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace the file of --out
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: NewArgs) -> Exit {
    match write(args) {
        Ok(()) => Exit::Ok,
        Err(exit) => exit,
    }
}

fn write(args: NewArgs) -> Result<(), Exit> {
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("my-system.yaml"));
    let force = args.force;
    if out.exists() && !force {
        // Before somebody answers questions in vain.
        file::write(&out, "", false)?;
    }
    let starter = starter(args)?;
    let text = starter.write(&name(&out));
    check(&out, &text)?;
    file::write(&out, &text, force)?;
    let shown = out.display();
    say!("{shown}: written; its comments say what to change");
    if starter.hides_password() {
        say!("the password is not in it: set DB_PASSWORD before each run");
    }
    say!("next: fcfs-bench validate --probe {shown}");
    Ok(())
}

fn name(out: &Path) -> String {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let name = Name::from_str(&stem);
    name.map_or_else(|_| "my-system".to_owned(), |name| name.as_str().to_owned())
}

fn starter(args: NewArgs) -> Result<Starter, Exit> {
    let ask = Ask::new(&args)?;
    Ok(Starter {
        url: ask.value(&URL, args.url, url)?,
        issue: ask.value(&ISSUE, args.issue, Issue::from_str)?,
        body: ask.value(&BODY, args.body, body)?,
        stock: ask.value(&STOCK, args.stock, count)?,
        issued: ask.value(&ISSUED, args.issued, Means::from_str)?,
        sold_out: ask.value(&SOLD_OUT, args.sold_out, optional)?,
        duplicate: ask.value(&DUPLICATE, args.duplicate, optional)?,
        sql: ask.value(&SQL, args.sql, database)?,
        query: ask.value(&QUERY, args.query, |text| Ok(text.to_owned()))?,
        vus: ask.value(&VUS, args.vus, count)?,
        duration: ask.value(&FOR, args.duration, span)?,
    })
}

/// A flag, the question that stands for it, and what an empty answer means.
struct Question(&'static str, &'static str, &'static str);

const URL: Question = Question("--url", "Where is the system?", "http://127.0.0.1:8080");
const ISSUE: Question = Question(
    "--issue",
    "Which request gives something away?",
    "POST /coupons/1/issue",
);
const BODY: Question = Question(
    "--body",
    "Its JSON body, {{ user }} being who asks?",
    r#"{"userId":"{{ user }}"}"#,
);
const STOCK: Question = Question("--stock", "How many are there?", "100");
const ISSUED: Question = Question(
    "--issued",
    "What does a confirmation look like (status, and text or /pointer=value)?",
    "2xx",
);
const SOLD_OUT: Question = Question("--sold-out", "And sold out, if you know?", "");
const DUPLICATE: Question = Question("--duplicate", "And \"you have one already\"?", "");
const SQL: Question = Question(
    "--sql",
    "Which database holds the issued rows?",
    "mysql://reader:${DB_PASSWORD}@127.0.0.1:3306/shop",
);
const QUERY: Question = Question(
    "--query",
    "Which query returns their users, ids and times?",
    "SELECT user_id, id, created_at FROM user_coupons WHERE coupon_id = 1",
);
const VUS: Question = Question("--vus", "How many users at the same time?", "100");
const FOR: Question = Question("--for", "For how long?", "30s");

fn url(text: &str) -> Result<String, String> {
    let url = Url::from_str(text).map_err(|error| error.to_string());
    url.map(|_| text.to_owned())
}

fn count(text: &str) -> Result<u64, String> {
    match Count::from_str(text) {
        Ok(Count(0)) => Err("at least 1".to_owned()),
        Ok(count) => Ok(count.0),
        Err(error) => Err(error.to_string()),
    }
}

fn span(text: &str) -> Result<Span, String> {
    Span::from_str(text).map_err(|error| error.to_string())
}

fn optional(text: &str) -> Result<Option<Means>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    Means::from_str(text).map(Some)
}

fn database(text: &str) -> Result<String, String> {
    const SCHEMES: [&str; 4] = ["mysql:", "postgres:", "postgresql:", "sqlite:"];
    if SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
        return Ok(text.to_owned());
    }
    Err("begin with `mysql:`, `postgres:` or `sqlite:`".to_owned())
}

fn body(text: &str) -> Result<Option<Json>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = serde_json::from_str(text);
    parsed
        .map(Some)
        .map_err(|error| format!("it is no JSON: {error}"))
}

/// Flags first, then questions; without a terminal there is nobody to ask.
struct Ask {
    terminal: bool,
}

impl Ask {
    /// What nobody can guess must be said if it cannot be asked.
    fn new(args: &NewArgs) -> Result<Self, Exit> {
        let terminal = std::io::stdin().is_terminal();
        let needed = [
            ("--url", args.url.is_some()),
            ("--issue", args.issue.is_some()),
            ("--stock", args.stock.is_some()),
            ("--sql", args.sql.is_some()),
            ("--query", args.query.is_some()),
        ];
        let missing: Vec<_> = needed
            .iter()
            .filter(|(_, given)| !given)
            .map(|(flag, _)| *flag)
            .collect();
        if terminal || missing.is_empty() {
            // Whoever has said the necessary does not wish to be asked.
            return Ok(Self {
                terminal: terminal && !missing.is_empty(),
            });
        }
        say!(
            "error: nobody can be asked without a terminal: {} must be given",
            missing.join(", ")
        );
        say!("  hint: fcfs-bench new --help says what each is");
        Err(Exit::Usage)
    }

    fn value<T>(
        &self,
        Question(flag, question, default): &Question,
        given: Option<String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Exit> {
        let given = given.or_else(|| (!self.terminal).then(|| (*default).to_owned()));
        if let Some(text) = given {
            return parse(&text).map_err(|problem| wrong(flag, &problem));
        }
        loop {
            match parse(&answer(question, default)?) {
                Ok(value) => return Ok(value),
                Err(problem) => say!("  {problem}"),
            }
        }
    }
}

fn wrong(flag: &str, problem: &str) -> Exit {
    say!("error: {flag}: {problem}");
    Exit::Usage
}

/// A line of the terminal; an empty one is the default.
fn answer(question: &str, default: &str) -> Result<String, Exit> {
    to_stderr(format_args!("{question} [{default}] "));
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    if !matches!(read, Ok(1..)) {
        // The end of the input is no answer.
        say!("\nerror: not every question was answered; nothing was written");
        return Err(Exit::Usage);
    }
    let line = line.trim();
    Ok(if line.is_empty() { default } else { line }.to_owned())
}

/// What was answered may still not fit together.
fn check(out: &Path, text: &str) -> Result<(), Exit> {
    let environment = |_: &str| Some("1".to_owned());
    let planned = plan::load(
        &out.display().to_string(),
        text,
        &Overrides::default(),
        &environment,
    );
    planned.map(drop).map_err(|diagnostics| {
        to_stderr(format_args!("{diagnostics}"));
        say!("error: with this the scenario is not valid; nothing was written");
        Exit::Usage
    })
}
