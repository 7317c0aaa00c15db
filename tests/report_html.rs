//! `report.html` as its readers see it: in a real browser, from the disk, without a network.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/harness/mod.rs"]
mod harness;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use browser::{Area, Browser, DESKTOP, PHONE, Screen};
use fcfs_bench::report::{Summary, html};
use harness::Bench;
use harness::scenario::Scenario;
use serde_json::Value;

/// The directory of a run of seconds against the bundled server, in which the server stands still
/// for a while. It lies where cargo keeps what tests leave behind, as a static value is never
/// dropped.
static RUN: LazyLock<PathBuf> = LazyLock::new(|| {
    let scenario = Scenario::long()
        .stock(500)
        .load(
            "ramping_vus: { stages: [ { name: warm, for: 3s, to: 8 }, { name: hold, for: 7s, to: 8 } ] }",
        )
        .thresholds("http_req_duration: [\"p(95)<30s\"]");
    let bench = Bench::with_fault(&scenario, "server: freeze, after: 4s, for: 2s");
    let ended = bench.run_scenario(&["--provider", "embedded"]);
    assert!(matches!(ended.code, Some(0 | 112)), "{}", ended.all());
    let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report_html");
    let _ = std::fs::remove_dir_all(&kept);
    copy(&bench.path("run"), &kept);
    kept
});

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-r").args([from, to]).status();
    assert!(copied.expect("cp is there").success());
}

fn read(name: &str) -> String {
    std::fs::read_to_string(RUN.join(name)).expect("a file of the run")
}

fn summary() -> Value {
    serde_json::from_str(&read("summary.json")).expect("JSON")
}

fn page() -> PathBuf {
    RUN.join("report.html")
}

fn opened(screen: Screen, scheme: &str) -> Browser {
    let mut browser = Browser::start();
    browser.screen(screen);
    browser.media("screen", scheme);
    browser.open(&page());
    browser.settle();
    browser
}

/// The data of the charts, as the page has it.
fn data(browser: &mut Browser) -> Value {
    browser.value("JSON.parse(document.getElementById('chart-data').textContent)")
}

/// The plotting area of a chart.
fn plot(browser: &mut Browser, at: usize) -> Area {
    browser.area(&format!("document.querySelectorAll('.u-over')[{at}]"))
}

#[track_caller]
fn expect_no_complaint(browser: &mut Browser) {
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "{complaints:?}");
    for url in browser.requests() {
        assert!(
            url.starts_with("file://") && url.ends_with("/report.html"),
            "{url}"
        );
    }
}

#[track_caller]
fn expect_all_charts_drawn(browser: &mut Browser) {
    let panels = data(browser)["panels"].as_array().map_or(0, Vec::len);
    // Requests and VUs, outcomes, times, stock, CPU.
    assert!(panels >= 5, "{panels}");
    assert_eq!(
        browser.value("document.querySelectorAll('.uplot canvas').length"),
        panels
    );
    for at in 0..panels {
        let area = plot(browser, at);
        let picture = browser.picture(area);
        let (drawn, colors) = (picture.drawn(), picture.colors());
        assert!(
            drawn > 0.01 && colors > 3,
            "chart {at}: {drawn}, {colors} colours"
        );
    }
}

#[track_caller]
fn expect_no_overflow(browser: &mut Browser) {
    let (page, window) = (
        browser.number("document.documentElement.scrollWidth"),
        browser.number("innerWidth"),
    );
    assert!(
        page <= window,
        "the page is {page} wide on a screen of {window}"
    );
}

#[test]
fn every_chart_of_a_run_is_drawn_on_a_desktop_and_nothing_is_fetched() {
    for scheme in ["light", "dark"] {
        let mut browser = opened(DESKTOP, scheme);
        expect_all_charts_drawn(&mut browser);
        expect_no_overflow(&mut browser);
        expect_no_complaint(&mut browser);
    }
}

#[test]
fn every_chart_of_a_run_is_drawn_on_a_phone_without_scrolling_sideways() {
    let narrow = Screen {
        width: 360,
        ..PHONE
    };
    for screen in [PHONE, narrow] {
        let mut browser = opened(screen, "light");
        expect_no_overflow(&mut browser);
        expect_all_charts_drawn(&mut browser);
        expect_no_complaint(&mut browser);
    }
}

#[test]
fn the_time_of_a_fault_is_shaded_at_its_place_in_every_chart() {
    let mut browser = opened(DESKTOP, "light");
    let data = data(&mut browser);
    let fault = &data["faults"][0];
    let (from, to, end) = (
        fault["from"].as_f64().expect("a time"),
        fault["to"].as_f64().expect("a time"),
        data["end"].as_f64().expect("a time"),
    );
    assert!(from > 3.0 && to - from > 1.0 && to < end, "{fault}");
    let panels = data["panels"].as_array().map_or(0, Vec::len);
    let areas: Vec<Area> = (0..panels).map(|at| plot(&mut browser, at)).collect();
    let with: Vec<_> = areas.iter().map(|area| browser.picture(*area)).collect();
    browser.value("document.getElementById('show-faults').click()");
    browser.settle();
    let without: Vec<_> = areas.iter().map(|area| browser.picture(*area)).collect();
    for (at, (with, without)) in with.iter().zip(&without).enumerate() {
        let column = |seconds: f64| (seconds / end * with.width as f64) as usize;
        // Redder than without the shade, by what the shade's colour adds.
        let shade = |x: usize| {
            let ([red, _, blue], [red_before, _, blue_before]) =
                (with.column(x), without.column(x));
            (red - blue) - (red_before - blue_before)
        };
        for seconds in [from + 0.3, f64::midpoint(from, to), to - 0.3] {
            let shade = shade(column(seconds));
            assert!(shade > 10.0, "chart {at} at {seconds} s: {shade}");
        }
        // Its name stands beside it, so only what is before it is bare.
        for seconds in [from * 0.4, from - 0.5] {
            let shade = shade(column(seconds)).abs();
            assert!(shade < 0.5, "chart {at} at {seconds} s: {shade}");
        }
    }
}

#[test]
fn dragging_across_one_chart_zooms_all_and_a_double_click_shows_everything_again() {
    let mut browser = opened(DESKTOP, "light");
    browser.value("document.getElementById('over-time').scrollIntoView()");
    browser.settle();
    let scrolled = browser.number("scrollY");
    let first = plot(&mut browser, 0);
    let other = plot(&mut browser, 2);
    let before = browser.picture(other);
    let middle = first.y - scrolled + first.height / 2.0;
    let place = |share: f64| (first.x + first.width * share, middle);
    let is_reset = "document.getElementById('reset').disabled";
    assert_eq!(browser.value(is_reset), true);
    browser.drag(place(0.3), place(0.6));
    assert_eq!(browser.value(is_reset), false);
    let zoomed = browser.picture(other);
    let moved = (0..before.width).filter(|x| !before.same_column(&zoomed, *x));
    assert!(
        moved.count() > before.width / 20,
        "the other chart has zoomed as well"
    );
    browser.double_click(place(0.5));
    assert_eq!(browser.value(is_reset), true);
    expect_no_complaint(&mut browser);
}

#[test]
fn a_name_in_a_legend_hides_its_line_by_mouse_and_by_key() {
    let mut browser = opened(DESKTOP, "light");
    for at in 0..2 {
        let area = plot(&mut browser, at);
        let head = format!(
            "document.querySelectorAll('.uplot')[{at}].querySelectorAll('.u-series th')[1]"
        );
        let before = browser.picture(area);
        browser.value(&format!("{head}.click()"));
        browser.settle();
        assert_eq!(
            browser.value(&format!("{head}.getAttribute('aria-pressed')")),
            "false"
        );
        let hidden = browser.picture(area);
        let differs = (0..before.width).any(|x| !before.same_column(&hidden, x));
        assert!(differs, "chart {at}");
        let key = "new KeyboardEvent('keydown', { key: 'Enter', bubbles: true })";
        browser.value(&format!("{head}.dispatchEvent({key})"));
        browser.settle();
        assert_eq!(
            browser.value(&format!("{head}.getAttribute('aria-pressed')")),
            "true"
        );
    }
    expect_no_complaint(&mut browser);
}

/// For each text: its colour against what it stands on, as WCAG 2 counts it; the lowest ones.
const CONTRAST: &str = r"(() => {
  const rgba = (text) => {
    const canvas = document.createElement('canvas').getContext('2d');
    canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((part, at) => part * a + under[at] * (1 - a));
  const ground = (one) => {
    const list = [];
    for (let it = one; it; it = it.parentElement) list.push(rgba(getComputedStyle(it).backgroundColor));
    return list.reverse().reduce((under, color) => color[3] ? over(color, under) : under, [255, 255, 255]);
  };
  const light = (color) => {
    const [r, g, b] = color.map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    if (one.closest('svg, script, .u-off, [disabled]') || !one.checkVisibility()) continue;
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const under = ground(one);
    const [a, b] = [light(over(rgba(getComputedStyle(one).color), under)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${one.tagName}.${one.className}: ${one.textContent.slice(0, 30)}`);
  }
  return found;
})()";

#[test]
fn every_text_has_contrast_in_both_schemes_and_the_button_switches() {
    for (scheme, other) in [("light", "dark"), ("dark", "light")] {
        let mut browser = opened(DESKTOP, scheme);
        let ground = "getComputedStyle(document.body).backgroundColor";
        for expected in [scheme, other] {
            let color = browser.value(ground);
            let dark = color == "rgb(17, 21, 27)";
            assert_eq!(dark, expected == "dark", "{color}");
            assert_eq!(browser.value(CONTRAST), serde_json::json!([]), "{expected}");
            browser.value("document.getElementById('theme').click()");
            browser.settle();
        }
        expect_all_charts_drawn(&mut browser);
        expect_no_complaint(&mut browser);
    }
}

/// Where the still picture is, and its height on the page; 0: it is not shown.
const STILL: &str = "document.querySelector('figure.static').getBoundingClientRect().height";

#[test]
fn without_scripts_the_still_picture_and_every_text_are_there() {
    let mut browser = Browser::start();
    browser.screen(DESKTOP);
    let off = serde_json::json!({ "value": true });
    browser.ask("Emulation.setScriptExecutionDisabled", &off);
    browser.open(&page());
    assert!(browser.number(STILL) > 500.0);
    let controls = "document.querySelector('.interactive').getBoundingClientRect().height";
    assert_eq!(browser.value(controls), 0);
    let area = browser.area("document.querySelector('figure.static svg')");
    assert!(browser.picture(area).drawn() > 0.02);
}

#[test]
fn on_paper_there_is_the_still_picture_on_white_and_no_control() {
    let mut browser = opened(DESKTOP, "dark");
    assert_eq!(browser.value(STILL), 0);
    browser.value("document.getElementById('theme').click()");
    browser.value("document.getElementById('theme').click()");
    browser.media("print", "dark");
    browser.settle();
    assert!(browser.number(STILL) > 400.0);
    let ground = "getComputedStyle(document.body).backgroundColor";
    assert_eq!(browser.value(ground), "rgb(255, 255, 255)");
    let ink = "getComputedStyle(document.body).color";
    assert_eq!(browser.value(ink), "rgb(27, 36, 48)");
    for control in ["nav", ".controls", "#theme", "#charts"] {
        let height = format!("document.querySelector('{control}').getBoundingClientRect().height");
        assert_eq!(browser.value(&height), 0, "{control}");
    }
    assert_eq!(browser.value(CONTRAST), serde_json::json!([]));
    let paper = browser.ask(
        "Page.printToPDF",
        &serde_json::json!({ "printBackground": true }),
    );
    assert!(
        paper["data"]
            .as_str()
            .is_some_and(|data| data.starts_with("JVBERi0"))
    );
}

#[test]
fn what_a_system_answers_never_becomes_part_of_the_page() {
    let evil = "</script><img src=x onerror='document.title=`taken`'><script>document.title='taken'</script>{{data}}";
    let mut summary: Summary = serde_json::from_value(summary()).expect("a summary");
    summary.name = evil.to_owned();
    summary.about = Some(evil.to_owned());
    summary.reasons.push(evil.to_owned());
    summary.warnings.push(evil.to_owned());
    summary.environment.repeat = evil.to_owned();
    summary.outcomes.insert(evil.to_owned(), 1);
    for phase in &mut summary.phases {
        phase.phase = evil.to_owned();
    }
    for fault in &mut summary.faults {
        fault.fault = evil.to_owned();
        fault.effect = Some(evil.to_owned());
    }
    for resource in &mut summary.resources {
        resource.source = evil.to_owned();
    }
    summary.samples[0].outcomes.insert(evil.to_owned(), 5.0);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.html");
    std::fs::write(&file, html(&summary)).expect("a file");
    let mut browser = Browser::start();
    browser.screen(DESKTOP);
    browser.open(&file);
    browser.settle();
    assert_ne!(browser.value("document.title"), "taken");
    assert_eq!(browser.value("document.querySelectorAll('img').length"), 0);
    assert_eq!(
        browser.value("document.querySelectorAll('script').length"),
        4
    );
    expect_all_charts_drawn(&mut browser);
    expect_no_overflow(&mut browser);
    expect_no_complaint(&mut browser);
}

#[test]
fn the_remaining_stock_is_drawn_as_it_was_read() {
    let summary = summary();
    let samples = summary["samples"].as_array().expect("a list");
    let values: Vec<i64> = samples
        .iter()
        .filter_map(|sample| sample["remaining"].as_i64())
        .collect();
    assert!(values.len() > 5, "once a second: {values:?}");
    assert!(values.is_sorted_by(|one, next| one >= next), "{values:?}");
    assert!(
        values.first() > values.last(),
        "some were taken: {values:?}"
    );
    assert!(
        samples
            .iter()
            .all(|sample| sample["stock_minus_confirmed"].is_null())
    );
    let chart = read("chart.svg");
    assert!(chart.contains("Stock remaining, as it was read"));
    let page = read("report.html");
    assert!(page.contains("\"title\":\"Stock remaining, as it was read\""));
    assert!(page.len() < 300_000, "{} bytes", page.len());
}

#[test]
fn where_nobody_read_the_stock_the_answers_are_not_taken_for_it() {
    let bench = Bench::new();
    copy(&RUN, &bench.path("run"));
    let truth = bench.read("run/truth.jsonl");
    let unread = truth
        .lines()
        .filter(|line| !line.starts_with("{\"remaining\":"));
    let unread: Vec<_> = unread.collect();
    assert!(unread.len() < truth.lines().count(), "there were readings");
    bench.write("run/truth.jsonl", unread.join("\n") + "\n");
    let ended = bench.run(&["report", "run"]);
    assert!(matches!(ended.code, Some(0 | 112)), "{}", ended.all());
    let summary = bench.summary();
    let samples = summary["samples"].as_array().expect("a list");
    assert!(samples.iter().all(|sample| sample["remaining"].is_null()));
    let answered = samples
        .iter()
        .map(|sample| sample["stock_minus_confirmed"].as_i64());
    let answered: Vec<i64> = answered.map(|value| value.expect("a number")).collect();
    assert!(
        answered.is_sorted_by(|one, next| one >= next),
        "{answered:?}"
    );
    let issued = summary["outcomes"]["issued"].as_i64().expect("a count");
    assert!(issued > 100, "{issued}");
    assert_eq!(answered.last(), Some(&(500 - issued)));
    for file in ["run/report.html", "run/chart.svg"] {
        let text = bench.read(file);
        assert!(
            text.contains("Stock minus confirmed, by the answers alone"),
            "{file}"
        );
        assert!(!text.contains("Stock remaining"), "{file}");
    }
}

#[test]
fn a_run_that_is_reported_again_gets_the_same_page() {
    let before = read("report.html");
    let run = RUN.display().to_string();
    let ended = Bench::new().run(&["report", &run]);
    assert!(matches!(ended.code, Some(0 | 112)), "{}", ended.all());
    assert_eq!(read("report.html"), before);
}
