//! Every module of the suite's plans that concern us has a test of its name, or is named with its reason among those left
//! out in `docs/standards.md`.

use std::collections::BTreeSet;

const STANDARDS: &str = include_str!("../../../../docs/standards.md");
const BASIC: &str = include_str!("basic.rs");
const DYNAMIC: &str = include_str!("dynamic.rs");
const LOGOUT: &str = include_str!("logout.rs");
const FAPI2: &str = concat!(include_str!("fapi2.rs"), include_str!("fapi2_par.rs"));

/// `oidcc-basic-certification-test-plan`, without the prefix `oidcc-`.
const BASIC_PLAN: &str = "server response-type-missing idtoken-signature idtoken-unsigned userinfo-get userinfo-post-header \
    userinfo-post-body ensure-request-without-nonce-succeeds-for-code-flow scope-profile scope-email scope-address scope-phone \
    scope-all alternate-happy-flow display-page display-popup prompt-login prompt-none-not-logged-in prompt-none-logged-in \
    max-age-1 max-age-10000 ensure-request-with-unknown-parameter-succeeds id-token-hint login-hint ui-locales claims-locales \
    ensure-request-with-acr-values-succeeds codereuse codereuse-30seconds ensure-registered-redirect-uri \
    ensure-post-request-succeeds server-client-secret-post \
    request-uri-unsigned-supported-correctly-or-rejected-as-unsupported \
    unsigned-request-object-supported-correctly-or-rejected-as-unsupported claims-essential \
    ensure-request-object-with-redirect-uri refresh-token ensure-request-with-valid-pkce-succeeds";
/// `oidcc-config-certification-test-plan`.
const CONFIG_PLAN: &str = "discovery-endpoint-verification";
/// `oidcc-dynamic-certification-test-plan`.
const DYNAMIC_PLAN: &str = "idtoken-rs256 idtoken-unsigned userinfo-rs256 ensure-redirect-uri-in-authorization-request \
    redirect-uri-query-OK redirect-uri-query-mismatch redirect-uri-query-added redirect-uri-regfrag \
    discovery-endpoint-verification server registration-logo-uri registration-policy-uri registration-tos-uri \
    registration-jwks-uri registration-sector-uri registration-sector-bad server-rotate-keys refresh-token-rp-key-rotation \
    request-uri-unsigned request-uri-signed-rs256 ensure-request-object-with-redirect-uri refresh-token \
    ensure-client-assertion-with-iss-aud-succeeds";
/// `oidcc-rp-initiated-logout-certification-test-plan` and `oidcc-backchannel-rp-initiated-logout-certification-test-plan`.
const LOGOUT_PLANS: &str = "rp-initiated-logout-discovery-endpoint-verification rp-initiated-logout \
    rp-initiated-logout-bad-post-logout-redirect-uri rp-initiated-logout-modified-id-token-hint \
    rp-initiated-logout-no-id-token-hint rp-initiated-logout-no-params rp-initiated-logout-no-post-logout-redirect-uri \
    rp-initiated-logout-no-state rp-initiated-logout-only-state \
    rp-initiated-logout-query-added-to-post-logout-redirect-uri rp-initiated-logout-bad-id-token-hint \
    backchannel-logout-discovery-endpoint-verification backchannel-rp-initiated-logout";
/// `fapi2-security-profile-final-test-plan`, without its prefix; with those that another version of the suite names apart.
const FAPI2_PLAN: &str = "discovery-end-point-verification happy-flow user-rejects-authentication \
    ensure-authorization-request-without-state-success ensure-authorization-request-without-nonce-success \
    ensure-authorization-request-with-64-char-nonce-success ensure-other-scope-order-succeeds \
    test-claims-parameter-identity-claims access-token-type-header-case-sensitivity check-dpop-proof-nbf-exp \
    ensure-dpopproof-with-iat-10seconds-before-succeeds ensure-dpopproof-with-iat-10seconds-after-succeeds \
    ensure-mismatched-dpop-jkt-fails ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt \
    ensure-token-endpoint-fails-with-mismatched-dpop-jkt ensure-dpopproof-at-par-endpoint-binding-success \
    ensure-dpop-auth-code-binding-success ensure-different-nonce-inside-and-outside-request-object \
    ensure-different-state-inside-and-outside-request-object ensure-authorization-request-with-long-nonce \
    ensure-authorization-request-with-long-state state-only-outside-request-object-not-used \
    ensure-request-object-without-redirect-uri-fails ensure-registered-redirect-uri \
    plain-fapi-tolerate-unregistered-redirect-uri ensure-unsigned-authorization-request-without-using-par-fails \
    ensure-redirect-uri-in-authorization-request ensure-response-type-code-idtoken-fails \
    australia-connectid-ensure-invalid-purpose-fails ensure-response-type-token-fails ensure-client-id-in-token-endpoint \
    ensure-holder-of-key-required ensure-authorization-code-is-bound-to-client \
    attempt-reuse-authorization-code-after-one-second ensure-token-endpoint-fails-with-expired-auth-code \
    ensure-signed-client-assertion-with-RS256-fails ensure-client-assertion-in-token-endpoint \
    ensure-client-assertion-with-exp-is-5-minutes-in-past-fails ensure-client-assertion-with-wrong-aud-fails \
    ensure-client-assertion-with-no-sub-fails ensure-invalid-client-assertions-fail dpop-negative-tests refresh-token \
    cdr-sharing-duration-zero cdr-negative-sharing-duration cdr-refresh-token-introspection-expiry cdr-arrangement-amendment \
    cdr-unrecognised-arrangement-id brazil-ensure-bad-payment-signature-fails \
    australia-connectid-test-claims-parameter-idtoken-identity-claims \
    par-ensure-reused-request-uri-prior-to-auth-completion-succeeds par-attempt-reuse-request_uri \
    par-attempt-to-use-expired-request_uri par-attempt-to-use-request_uri-for-different-client \
    par-authorization-request-containing-request_uri-form-param par-attempt-invalid-http-method par-ensure-pkce-required \
    ensure-pkce-code-verifier-required incorrect-pkce-code-verifier-rejected par-plain-pkce-rejected \
    par-without-duplicate-parameters par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted \
    par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails par-test-array-as-audience-fails \
    par-test-par-endpoint-url-as-audience-fails par-test-token-endpoint-url-as-audience-fails \
    grant-management-query-and-revoke grant-management-merge grant-management-replace \
    grant-management-ensure-invalid-grant-id-fails grant-management-ensure-query-nonexistent-grant-fails \
    grant-management-ensure-wrong-client-cannot-query-grant grant-management-ensure-wrong-client-cannot-revoke-grant \
    ensure-request-object-with-multiple-aud-succeeds ensure-request-object-without-exp-fails \
    ensure-request-object-without-nbf-fails ensure-expired-request-object-fails ensure-request-object-with-bad-aud-fails \
    ensure-request-object-with-exp-over-60-fails australia-connectid-ensure-request-object-with-exp-over-10-fails \
    ensure-request-object-with-nbf-over-60-fails australia-connectid-ensure-request-object-with-nbf-over-15-fails \
    ksa-ensure-request-object-with-exp-over-10-fails ksa-ensure-request-object-with-nbf-over-10-fails \
    ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted ensure-signed-request-object-with-RS256-fails \
    ensure-request-object-signature-algorithm-is-not-none ensure-request-object-with-invalid-signature-fails \
    ensure-matching-key-in-authorization-request ensure-unsigned-request-at-par-endpoint-fails \
    par-authorization-request-containing-request_uri";

/// The tests of a file.
fn tests(source: &str) -> BTreeSet<&str> {
    source.split("#[tokio::test]\nasync fn ").skip(1).filter_map(|rest| rest.split('(').next()).collect()
}

/// Modules that the document says are left out.
fn left_out() -> BTreeSet<&'static str> {
    let section = STANDARDS.split("## Conformance modules left out").nth(1).unwrap().split("\n## ").next().unwrap();
    section.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_module_is_tested_or_left_out() {
    let left_out = left_out();
    let mut named = BTreeSet::new();
    let mut wrong = Vec::new();
    for (prefix, plan, source, count) in [
        ("oidcc-", BASIC_PLAN, BASIC, 38),
        ("oidcc-", CONFIG_PLAN, BASIC, 1),
        ("oidcc-", DYNAMIC_PLAN, DYNAMIC, 23),
        ("oidcc-", LOGOUT_PLANS, LOGOUT, 13),
        ("fapi2-security-profile-final-", FAPI2_PLAN, FAPI2, 91),
    ] {
        let tests = tests(source);
        assert_eq!(plan.split_whitespace().count(), count, "{prefix}");
        for module in plan.split_whitespace() {
            let name = format!("{prefix}{module}");
            let function = name.replace('-', "_").to_lowercase();
            match (tests.contains(function.as_str()), left_out.contains(name.as_str())) {
                (true, false) | (false, true) => {}
                (true, true) => wrong.push(format!("{name}: tested, and said to be left out")),
                (false, false) => wrong.push(format!("{name}: neither tested nor left out")),
            }
            named.insert(name);
        }
    }
    wrong.extend(left_out.iter().filter(|name| !named.contains(**name)).map(|name| format!("{name}: left out, of no plan")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}
