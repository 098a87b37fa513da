//! A Chromium of its own for each test, driven through Debian's chromedriver: the W3C WebDriver
//! protocol, one JSON request for each command.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

/// The name of the member that holds an element's reference (WebDriver, section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// Nothing but the pages that are asked for: without these Chromium calls its maker.
const ARGUMENTS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    // Chromium ends with the driver: it listens to a pipe of it, and to no port.
    "--remote-debugging-pipe",
];

/// The driver, for as long as its starter holds the other end of its input: it ends with a test that is killed, too.
/// Asked to end, it has ten seconds.
const KEEPER: &str = "chromedriver --port=0 & driver=$!; read -r _; kill $driver; i=0
    while kill -0 $driver 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done; kill -9 $driver 2>/dev/null; wait";

/// For a script or a page: much longer than either takes, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who looks, and on what.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// What the browser says in `Accept-Language`.
    pub language: &'static str,
    /// CSS pixels.
    pub size: (u32, u32),
    pub javascript: bool,
    pub dark: bool,
}
pub const PHONE: (u32, u32) = (320, 640);
pub const DESKTOP: (u32, u32) = (1280, 900);
pub const FRENCH: Settings = Settings { language: "fr", size: DESKTOP, javascript: true, dark: false };
pub const ENGLISH: Settings = Settings { language: "en", ..FRENCH };

/// Is there a browser to test with? Where `OCTROI_BROWSER` is set, as `./test` does, there must be.
pub fn present() -> bool {
    let drives = Command::new("chromedriver").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let missing = if !drives.is_ok_and(|status| status.success()) {
        "chromedriver is not installed (Debian: chromium and chromium-driver)"
    } else if !axe_file().exists() {
        "axe-core is not installed (npm ci, in crates/octroi/tests/browser)"
    } else {
        return true;
    };
    assert!(std::env::var_os("OCTROI_BROWSER").is_none(), "{missing}");
    eprintln!("skipped: {missing}; ./test installs it");
    false
}

pub fn axe_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/node_modules/axe-core/axe.min.js")
}

/// `target`, where pictures go.
pub fn target() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_octroi"));
    built.ancestors().nth(2).unwrap_or(built).to_owned()
}

/// One window. It closes with its value.
pub struct Driver {
    process: Child,
    http: reqwest::blocking::Client,
    /// `http://127.0.0.1:PORT/session/ID`
    session: String,
    _profile: tempfile::TempDir,
}

/// Something on the page, for as long as the page stands.
#[derive(Debug, Clone)]
pub struct Element(String);
impl Element {
    /// As an argument of a script.
    pub fn json(&self) -> Value {
        json!({ ELEMENT: self.0 })
    }
}

impl Driver {
    pub fn start(settings: Settings) -> Self {
        let mut process =
            Command::new("sh").args(["-c", KEEPER]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let port = port(&mut process);
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!("--window-size={},{}", settings.size.0, settings.size.1));
        let script = if settings.javascript { 1 } else { 2 };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": { "intl.accept_languages": settings.language, "profile.managed_default_content_settings.javascript": script },
            },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            // What a page asks by `alert` is an error here, so it has to stay to be seen.
            "unhandledPromptBehavior": "ignore",
        } } });
        let http = reqwest::blocking::Client::builder().timeout(PATIENCE + PATIENCE).build().unwrap();
        let mut driver = Self { process, http, session: format!("http://127.0.0.1:{port}/session"), _profile: profile };
        let made = driver.ask(Method::POST, "", Some(wanted)).unwrap();
        driver.session = format!("{}/{}", driver.session, made["sessionId"].as_str().unwrap());
        let patience = PATIENCE.as_millis();
        driver.post("/timeouts", json!({ "script": patience, "pageLoad": patience }));
        driver.resize(settings.size);
        driver.dark(settings.dark);
        driver
    }

    /// One command; what it answers, or the error that it names.
    pub fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let request = self.http.request(method, format!("{}{path}", self.session));
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let mut answer: Value = request.send().and_then(reqwest::blocking::Response::json).map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value),
        }
    }

    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Value {
        self.ask(Method::POST, path, Some(body)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A command of the Chrome DevTools Protocol.
    pub fn devtools(&self, name: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": name, "params": parameters }))
    }

    /// Exactly this many CSS pixels, however small: a window would not go below 500.
    pub fn resize(&self, (width, height): (u32, u32)) {
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", screen);
    }

    pub fn dark(&self, dark: bool) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Runs the body of a function in the page.
    #[track_caller]
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": arguments }))
    }

    /// The same, for a function that calls its last argument when it is done.
    #[track_caller]
    pub fn run_later(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("/execute/async", json!({ "script": script, "args": arguments }))
    }

    /// The element that a script returns, if it returns one.
    pub fn find(&self, script: &str, arguments: &[Value]) -> Option<Element> {
        // Between two pages there is nothing to look into.
        let found = self.ask(Method::POST, "/execute/sync", Some(json!({ "script": script, "args": arguments }))).ok()?;
        found[ELEMENT].as_str().map(|id| Element(id.to_owned()))
    }

    /// A click where a person would: scrolled into view, and refused when something lies above.
    pub fn click(&self, element: &Element) -> Result<(), String> {
        self.ask(Method::POST, &format!("/element/{}/click", element.0), Some(json!({}))).map(|_| ())
    }

    #[track_caller]
    pub fn clear(&self, element: &Element) {
        self.post(&format!("/element/{}/clear", element.0), json!({}));
    }

    /// Types into an element; a path, for a file field.
    #[track_caller]
    pub fn type_into(&self, element: &Element, text: &str) {
        self.post(&format!("/element/{}/value", element.0), json!({ "text": text }));
    }

    /// Presses keys, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| [json!({ "type": "keyDown", "value": key.to_string() }), json!({ "type": "keyUp", "value": key.to_string() })])
            .collect();
        self.post("/actions", json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] }));
    }

    /// Clicks twice, as fast as a mouse can.
    pub fn double_click(&self, element: &Element) {
        let (down, up) = (json!({ "type": "pointerDown", "button": 0 }), json!({ "type": "pointerUp", "button": 0 }));
        let to = json!({ "type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": element.json() });
        self.run("arguments[0].scrollIntoView({block: 'center'})", &[element.json()]);
        let actions =
            json!([{ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": [to, down, up, down, up] }]);
        self.post("/actions", json!({ "actions": actions }));
    }

    /// What has the focus, and its accessible name.
    pub fn focused(&self) -> (Element, String) {
        let id = self.get("/element/active")[ELEMENT].as_str().unwrap().to_owned();
        let name = self.get(&format!("/element/{id}/computedlabel"));
        (Element(id), name.as_str().unwrap_or_default().to_owned())
    }

    /// What was logged since the last look: `browser` for the console, `performance` for the network.
    pub fn log(&self, kind: &str) -> Vec<Value> {
        match self.post("/se/log", json!({ "type": kind })) {
            Value::Array(entries) => entries,
            other => panic!("{other}"),
        }
    }

    /// The whole page, as PNG in base64.
    pub fn whole_page(&self) -> String {
        let size = self.run("const d = document.documentElement; return [d.clientWidth, Math.max(d.scrollHeight, d.clientHeight)]", &[]);
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let shot = self.devtools("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true, "clip": clip }));
        shot["data"].as_str().unwrap().to_owned()
    }
}
impl Drop for Driver {
    fn drop(&mut self) {
        // This ends Chromium; the driver alone would leave it behind.
        let _ = self.ask(Method::DELETE, "", None);
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The port that the driver chose and says in its first lines.
fn port(process: &mut Child) -> u16 {
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| line.ok()?.split("started successfully on port ").nth(1)?.trim_end_matches('.').parse().ok()).unwrap();
    // It goes on talking: somebody has to listen, or it stops.
    std::thread::spawn(move || lines.count());
    port
}
