//! The commands, on real files.

use std::{fs, path::Path, process::Command};

use crate::harness::{Demo, Engine};

fn octroi(args: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_octroi")).args(args).env_remove("OCTROI_DATABASE_URL").output().unwrap();
    (output.status.success(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

fn shipped() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue").to_str().unwrap().to_owned()
}

#[test]
fn the_shipped_catalogue_is_sound_applies_once_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let config = path("octroi.toml");
    fs::write(&config, format!("data = {:?}\n", path("data"))).unwrap();
    let (sound, said) = octroi(&["check", &shipped()]);
    assert!(sound && said.contains("no fault"), "{said}");
    let (_, said) = octroi(&["apply", &shipped(), "--dry-run", "--config", &config]);
    assert!(said.contains("new") && said.contains("nothing was changed"), "{said}");
    let (done, said) = octroi(&["apply", &shipped(), "--config", &config]);
    assert!(done && said.contains("new        api        dinum/api-particulier (version 1)"), "{said}");
    let (_, said) = octroi(&["apply", &shipped(), "--config", &config]);
    assert!(said.contains("0 change(s)"), "applying twice changes nothing: {said}");
    // Out, and in again: the same.
    let exported = path("exported");
    let (done, said) = octroi(&["export", &exported, "--config", &config]);
    assert!(done, "{said}");
    let (_, said) = octroi(&["apply", &exported, "--prune", "--config", &config]);
    assert!(said.contains("0 change(s)"), "{said}");
    // A change makes a version, and says what differs.
    let api = Path::new(&exported).join("dila/legifrance/api.yaml");
    assert!(api.exists(), "the export keeps the layout provider/api");
    let text = fs::read_to_string(&api).unwrap();
    let changed = text.replacen("rate_per_second: 100", "rate_per_second: 125", 1);
    assert_ne!(text, changed, "{text}");
    fs::write(&api, changed).unwrap();
    let (_, said) = octroi(&["apply", &exported, "--config", &config]);
    assert!(said.contains("changed    api        dila/legifrance (version 2): plans"), "{said}");
}

#[test]
fn an_address_that_is_taken_is_told_with_its_option() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for option in ["--upstream", "--portal", "--admin", "--production", "--sandbox"] {
        let folder = tempfile::tempdir().unwrap();
        let mut arguments = vec!["demo", "--data", folder.path().to_str().unwrap()];
        for other in ["--upstream", "--portal", "--admin", "--production", "--sandbox"] {
            arguments.extend([other, if other == option { address.as_str() } else { "127.0.0.1:0" }]);
        }
        let (started, said) = octroi(&arguments);
        assert!(!started && said.contains(&format!("{option}: cannot listen on {address}")), "{option}: {said}");
    }
}

#[test]
fn a_broken_catalogue_is_named_and_nothing_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("catalogue/dinum");
    fs::create_dir_all(&broken).unwrap();
    fs::write(broken.join("provider.yaml"), "slug: dinum\nname: { fr: a, en: b }\nsiret: \"13002526500013\"\ncolour: red\n").unwrap();
    let at = folder.path().join("catalogue");
    let (sound, said) = octroi(&["check", at.to_str().unwrap()]);
    assert!(!sound && said.contains("provider.yaml:4:") && said.contains("colour"), "{said}");
    let (sound, said) = octroi(&["check", folder.path().join("nowhere").to_str().unwrap()]);
    assert!(!sound && said.contains("nowhere"), "{said}");
}

#[test]
fn a_bad_setting_keeps_the_program_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("octroi.toml");
    fs::write(&config, "[gateway]\ntoken_lifetime = 1\n").unwrap();
    let (done, said) = octroi(&["serve", "--config", config.to_str().unwrap()]);
    assert!(!done && said.contains("gateway.token_lifetime"), "{said}");
    let (done, said) = octroi(&["serve", "--config", "/nowhere/octroi.toml"]);
    assert!(!done && said.contains("/nowhere/octroi.toml"), "{said}");
}

#[tokio::test]
async fn a_changed_byte_of_the_ledger_is_found() {
    let mut demo = Demo::start(Engine::Sqlite);
    let (sound, said) = demo.verify_ledger();
    assert!(sound && said.contains("sound"), "{said}");
    demo.stop();
    let database = demo.data.join("octroi.db");
    let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\nfor (name,) in db.execute(\"select name from sqlite_master where type='trigger' and tbl_name='ledger'\").fetchall():\n    db.execute('drop trigger ' + name)\ndb.execute(\"update ledger set actor = 'user:somebody-else' where seq = 40\")\ndb.commit()\n";
    assert!(Command::new("python3").args(["-c", script]).arg(&database).status().unwrap().success());
    let (sound, said) = demo.verify_ledger();
    assert!(!sound && said.contains("entry 40"), "{said}");
}

#[tokio::test]
async fn a_second_server_on_the_same_data_refuses_to_start() {
    let demo = Demo::start(Engine::Sqlite);
    let config = demo.config();
    let (done, said) = octroi(&["serve", "--config", config.to_str().unwrap()]);
    assert!(!done && said.contains("in use by another octroi process"), "{said}");
    // A command beside the server is fine, and the running server takes its change by itself.
    let exported = demo.data.join("exported");
    let (done, said) = octroi(&["export", exported.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    assert!(done, "{said}");
}
