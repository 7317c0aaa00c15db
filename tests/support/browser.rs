//! A headless Chromium without a network, driven over a pipe: opens a file, looks at it, and tells
//! everything that it complained of.
#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Nothing that is asked here takes so long, also on a machine with other things to do.
const LIMIT: Duration = Duration::from_mins(2);

/// The pipe's ends are those that Chromium takes for it; its own output is of no use.
const START: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#;

/// One page of one browser; both end with it.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: String,
    asked: u64,
    /// What came while something else was waited for.
    events: Vec<Value>,
    _profile: TempDir,
}

/// Width and height in CSS pixels, how many of the screen are one of them, and whether it is a
/// telephone.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) scale: u32,
    pub(crate) mobile: bool,
}

pub(crate) const DESKTOP: Screen = Screen {
    width: 1280,
    height: 900,
    scale: 1,
    mobile: false,
};

pub(crate) const PHONE: Screen = Screen {
    width: 390,
    height: 844,
    scale: 2,
    mobile: true,
};

/// A place on the page in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Browser {
    /// Debian and others call it `chromium`.
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let folder = format!("--user-data-dir={}", profile.path().display());
        let mut child = Command::new("sh")
            .args(["-c", START, "chromium", "--headless=new", "--no-sandbox"])
            .args(["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--remote-debugging-pipe", &folder])
            // Nobody is found, and nobody listens at the proxy either.
            .args(["--host-resolver-rules=MAP * ~NOTFOUND"])
            .args([
                "--proxy-server=127.0.0.1:9",
                "--proxy-bypass-list=<-loopback>",
            ])
            .args([
                "--disable-background-networking",
                "--hide-scrollbars",
                "about:blank",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let to = child.stdin.take().expect("it was piped");
        let mut out = BufReader::new(child.stdout.take().expect("it was piped"));
        let (sender, from) = channel();
        // Messages end with a zero.
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while out.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else {
                    break;
                };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Self {
            child,
            to,
            from,
            session: String::new(),
            asked: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let page = browser.ask("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let session = browser.ask("Target.attachToTarget", &attach)["sessionId"].clone();
        session
            .as_str()
            .expect("a session")
            .clone_into(&mut browser.session);
        for domain in ["Page", "Runtime", "Log", "Network", "DOM"] {
            browser.ask(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// One question and its answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        let sent = self.to.write_all(&bytes).and_then(|()| self.to.flush());
        sent.expect("the browser runs (Debian: apt-get install chromium)");
        loop {
            let message = self.next(method);
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    #[track_caller]
    fn next(&mut self, what: &str) -> Value {
        let message = self.from.recv_timeout(LIMIT);
        message.unwrap_or_else(|_| panic!("no answer to {what}: is `chromium` installed?"))
    }

    pub(crate) fn screen(&mut self, screen: Screen) {
        let Screen {
            width,
            height,
            scale,
            mobile,
        } = screen;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        self.ask("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// `screen` or `print`, and `light` or `dark`.
    pub(crate) fn media(&mut self, media: &str, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let media = json!({ "media": media, "features": features });
        self.ask("Emulation.setEmulatedMedia", &media);
    }

    /// Loads a file and waits until all of it is drawn.
    #[track_caller]
    pub(crate) fn open(&mut self, file: &Path) {
        self.events.clear();
        let url = format!("file://{}", file.display());
        let gone = self.ask("Page.navigate", &json!({ "url": url }));
        assert!(gone["errorText"].is_null(), "{url}: {}", gone["errorText"]);
        let is_loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events.iter().any(is_loaded) {
            let event = self.next("the load of the page");
            self.events.push(event);
        }
    }

    /// Waits until what was changed has been drawn.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        self.value("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    }

    /// What an expression comes to, also one that has to be waited for.
    #[track_caller]
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.ask("Runtime.evaluate", &asked);
        let failure = &answer["exceptionDetails"];
        assert!(failure.is_null(), "{expression}: {failure}");
        answer["result"]["value"].clone()
    }

    #[track_caller]
    pub(crate) fn number(&mut self, expression: &str) -> f64 {
        let value = self.value(expression);
        let number = value.as_f64();
        number.unwrap_or_else(|| panic!("{expression} is {value}"))
    }

    /// Where an element is.
    #[track_caller]
    pub(crate) fn area(&mut self, element: &str) -> Area {
        let expression = format!(
            "(() => {{ const it = ({element}).getBoundingClientRect(); \
             return [it.x + scrollX, it.y + scrollY, it.width, it.height]; }})()"
        );
        let value = self.value(&expression);
        let [x, y, width, height]: [f64; 4] = serde_json::from_value(value).expect("four numbers");
        Area {
            x,
            y,
            width,
            height,
        }
    }

    /// The whole page, or a part of it, also where it has to be scrolled to; one pixel for each of
    /// CSS.
    #[track_caller]
    pub(crate) fn picture(&mut self, area: Area) -> Picture {
        let clip = json!({ "x": area.x, "y": area.y, "width": area.width, "height": area.height, "scale": 1 });
        let asked = json!({ "format": "png", "clip": clip, "captureBeyondViewport": true });
        let shot = self.ask("Page.captureScreenshot", &asked);
        let data = shot["data"].as_str().expect("a picture");
        Picture::read(data)
    }

    /// Presses at one place, lets go at another.
    pub(crate) fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        let steps = [
            ("mouseMoved", from, 0),
            ("mousePressed", from, 1),
            ("mouseMoved", to, 1),
            ("mouseReleased", to, 1),
        ];
        for (kind, (x, y), count) in steps {
            let button = if kind == "mouseMoved" && count == 0 {
                "none"
            } else {
                "left"
            };
            let event =
                json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": count });
            self.ask("Input.dispatchMouseEvent", &event);
        }
        self.settle();
    }

    pub(crate) fn double_click(&mut self, (x, y): (f64, f64)) {
        for (kind, count) in [
            ("mousePressed", 1),
            ("mouseReleased", 1),
            ("mousePressed", 2),
            ("mouseReleased", 2),
        ] {
            let event =
                json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": count });
            self.ask("Input.dispatchMouseEvent", &event);
        }
        self.settle();
    }

    /// Everything that the page has complained of since it was opened: exceptions, lines of the
    /// console, and what the browser itself has logged, such as breaches of the page's policy.
    pub(crate) fn complaints(&mut self) -> Vec<Value> {
        self.settle();
        let complaint = |event: &&Value| {
            let method = event["method"].as_str().unwrap_or_default();
            let known = [
                "Runtime.exceptionThrown",
                "Runtime.consoleAPICalled",
                "Log.entryAdded",
            ];
            known.contains(&method)
        };
        self.events.iter().filter(complaint).cloned().collect()
    }

    /// Everything that the page has asked for, by its address.
    pub(crate) fn requests(&self) -> Vec<String> {
        let sent = |event: &&Value| event["method"] == "Network.requestWillBeSent";
        let sent = self.events.iter().filter(sent);
        let url = sent.filter_map(|event| event["params"]["request"]["url"].as_str());
        url.map(str::to_owned).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends with its pipe; what it started ends with it.
        let bye = json!({ "id": 0, "method": "Browser.close" });
        let _ = self.to.write_all(format!("{bye}\0").as_bytes());
        let begin = std::time::Instant::now();
        while begin.elapsed() < Duration::from_secs(10) {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was seen, as red, green and blue.
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<[u8; 3]>,
}

impl Picture {
    fn read(base64: &str) -> Self {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(base64);
        let bytes = std::io::Cursor::new(bytes.expect("base64"));
        let mut reader = png::Decoder::new(bytes).read_info().expect("a PNG");
        let mut buffer = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut buffer).expect("a frame");
        let each = info.color_type.samples();
        assert!(each >= 3, "in colour");
        Self {
            width: info.width as usize,
            height: info.height as usize,
            pixels: buffer
                .chunks_exact(each)
                .map(|pixel| [pixel[0], pixel[1], pixel[2]])
                .collect(),
        }
    }

    pub(crate) fn at(&self, x: usize, y: usize) -> [u8; 3] {
        self.pixels[y * self.width + x]
    }

    /// The share of pixels that are not of the colour that most have.
    pub(crate) fn drawn(&self) -> f64 {
        let mut counts = std::collections::HashMap::new();
        for pixel in &self.pixels {
            *counts.entry(pixel).or_insert(0_usize) += 1;
        }
        let ground = counts.values().max().copied().unwrap_or_default();
        1.0 - ground as f64 / self.pixels.len() as f64
    }

    /// How many colours there are.
    pub(crate) fn colors(&self) -> usize {
        let all: std::collections::HashSet<_> = self.pixels.iter().collect();
        all.len()
    }

    /// Whether a column is the same in both, pixel by pixel.
    pub(crate) fn same_column(&self, other: &Self, x: usize) -> bool {
        (0..self.height).all(|y| self.at(x, y) == other.at(x, y))
    }

    /// The mean of a column: red, green, blue.
    pub(crate) fn column(&self, x: usize) -> [f64; 3] {
        let rows = (0..self.height).map(|y| self.at(x, y));
        let mut sums = [0.0; 3];
        for pixel in rows {
            for (sum, part) in sums.iter_mut().zip(pixel) {
                *sum += f64::from(part);
            }
        }
        sums.map(|sum| sum / self.height as f64)
    }
}
