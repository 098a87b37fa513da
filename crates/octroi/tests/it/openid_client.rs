//! OpenID clients that are not ours, unmodified: `openid-client` from npm signs in, refreshes, reads userinfo, introspects,
//! revokes and signs out; with secrets, with `private_key_jwt`, pushed requests and DPoP, as a public client, and registered by
//! itself; then its version 5, oauth4webapi, passport-openidconnect and Auth.js. Where npm's packages are not installed this says so and passes, as the browser suite does, unless
//! `OCTROI_BROWSER` is set.

use std::{path::Path, process::Command};

use serde_json::json;

use crate::harness::shared;

#[test]
fn clients_of_others_work_unmodified() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openid-client");
    if !folder.join("node_modules/openid-client").exists() {
        assert!(std::env::var("OCTROI_BROWSER").is_err(), "npm ci --prefix {} first", folder.display());
        eprintln!("openid-client is left out: it is not installed");
        return;
    }
    let demo = shared();
    let account = |role: &str| demo.file["accounts"].as_array().unwrap().iter().find(|account| account["role"] == role).unwrap().clone();
    let (person, operator) = (account("applicant"), account("operator"));
    let told = json!({
        "portal": demo.portal(), "email": person["email"], "password": person["password"],
        "operator": { "email": operator["email"], "password": operator["password"] },
    });
    let run = |script: &str, wanted: &[&str]| {
        let output = Command::new("node").arg(script).arg(told.to_string()).current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{script}: {said}{}", String::from_utf8_lossy(&output.stderr));
        for done in wanted {
            assert!(said.contains(done), "{done}: {said}");
        }
    };
    run(
        "script.mjs",
        &[
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt+par+dpop",
            "none+pkce+dpop",
            "client_credentials",
            "registration+logout",
        ],
    );
    let others = ["openid-client 5\"", "openid-client 5: private_key_jwt+par+dpop", "oauth4webapi", "passport-openidconnect", "auth.js"];
    run("others.mjs", &others);
}
