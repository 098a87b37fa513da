use super::*;
use crate::jwt::SigningAlgorithm;

const ISSUER: &str = "https://idp.example/api/v2";
const NOW: i64 = 1_800_000_000;

fn pair(kid: &str, algorithm: SigningAlgorithm) -> (SigningKeyPair, Jwk) {
    let pair = SigningKeyPair::of(algorithm, kid, &SigningKeyPair::generate(algorithm).unwrap()).unwrap();
    let jwk = serde_json::from_value(serde_json::to_value(pair.jwk().unwrap()).unwrap()).unwrap();
    (pair, jwk)
}

fn claims(changes: Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "sub": "42", "aud": "octroi", "exp": NOW + 60, "iat": NOW, "nonce": "n"});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => drop(claims.as_object_mut().unwrap().insert(name.clone(), value.clone())),
        }
    }
    claims
}

const EXPECTED: Expected<'_> = Expected { issuer: ISSUER, client_id: "octroi", now: NOW };

#[test]
fn an_id_token_is_believed_for_what_it_is() {
    let (key, jwk) = pair("k", SigningAlgorithm::Es256);
    let keys = JwkSet { keys: vec![jwk] };
    let check = |changes: Value| id_token(&key.sign("JWT", &claims(changes)).unwrap(), &keys, EXPECTED, ("n", &[], "at"));
    assert_eq!(check(json!({})).unwrap().subject, "42");
    assert_eq!(check(json!({"aud": ["octroi"]})).unwrap().subject, "42");
    assert_eq!(check(json!({"aud": ["octroi", "x"], "azp": "octroi"})).unwrap().subject, "42");
    for (changes, doubt) in [
        (json!({"iss": "https://idp.example/api/v2/"}), Doubt::Iss),
        (json!({"iss": null}), Doubt::Claim("iss")),
        (json!({"sub": null}), Doubt::Claim("sub")),
        (json!({"sub": ""}), Doubt::Claim("sub")),
        (json!({"sub": 42}), Doubt::Claim("sub")),
        (json!({"sub": "a".repeat(256)}), Doubt::Claim("sub")),
        (json!({"aud": "other"}), Doubt::Aud),
        (json!({"aud": null}), Doubt::Claim("aud")),
        (json!({"aud": ["octroi", "x"]}), Doubt::Azp),
        (json!({"azp": "x"}), Doubt::Azp),
        (json!({"iat": null}), Doubt::Claim("iat")),
        (json!({"exp": null}), Doubt::Claim("exp")),
        (json!({"exp": NOW - 61}), Doubt::Time),
        (json!({"iat": NOW + 61}), Doubt::Time),
        (json!({"iat": NOW - 601}), Doubt::Time),
        (json!({"nonce": "m"}), Doubt::Nonce),
        (json!({"nonce": null}), Doubt::Nonce),
        (json!({"at_hash": "x"}), Doubt::AtHash),
    ] {
        assert_eq!(check(changes.clone()), Err(doubt), "{changes}");
    }
    let token = key.sign("JWT", &claims(json!({"acr": "eidas1"}))).unwrap();
    let wanted = |acr: &str| id_token(&token, &keys, EXPECTED, ("n", &[acr.to_owned()], "at"));
    assert!(wanted("eidas1").is_ok());
    assert_eq!(wanted("eidas1-mfa"), Err(Doubt::Acr));
}

#[test]
fn the_key_has_to_be_named_where_several_fit() {
    let (one, first) = pair("one", SigningAlgorithm::Es256);
    let (_, second) = pair("two", SigningAlgorithm::Es256);
    let (rsa, third) = pair("rsa", SigningAlgorithm::Rs256);
    // Without a kid in the header: signed as a JWT by the library.
    let pkcs8 = SigningKeyPair::generate(SigningAlgorithm::EdDsa).unwrap();
    let nameless = SigningKeyPair::of(SigningAlgorithm::EdDsa, "x", &pkcs8).unwrap();
    let mut fourth: Jwk = serde_json::from_value(serde_json::to_value(nameless.jwk().unwrap()).unwrap()).unwrap();
    let header = jsonwebtoken::Header::new(Algorithm::EdDSA);
    let token = jsonwebtoken::encode(&header, &claims(json!({})), &jsonwebtoken::EncodingKey::from_ed_der(&pkcs8)).unwrap();
    let check = |token: &str, keys: &[&Jwk]| {
        let keys = JwkSet { keys: keys.iter().map(|key| (*key).clone()).collect() };
        id_token(token, &keys, EXPECTED, ("n", &[], "at")).map(|claims| claims.subject)
    };
    assert_eq!(check(&token, &[&fourth, &first, &third]), Ok("42".to_owned()));
    fourth.common.key_id = None;
    assert_eq!(check(&token, &[&fourth]), Ok("42".to_owned()));
    assert_eq!(check(&token, &[&fourth, &fourth]), Err(Doubt::NoKid));
    let signed = one.sign("JWT", &claims(json!({}))).unwrap();
    assert_eq!(check(&signed, &[&first, &second]), Ok("42".to_owned()));
    assert_eq!(check(&signed, &[&second]), Err(Doubt::UnknownKey));
    assert_eq!(check(&rsa.sign("JWT", &claims(json!({}))).unwrap(), &[&third]), Ok("42".to_owned()));
    let mut forged = signed.clone();
    forged.replace_range(signed.len() - 4.., "AAAA");
    assert_eq!(check(&forged, &[&first]), Err(Doubt::Signature));
    let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), URL_SAFE_NO_PAD.encode(claims(json!({})).to_string()));
    assert_eq!(check(&none, &[&first]), Err(Doubt::Algorithm("none".to_owned())));
    let shared = jsonwebtoken::EncodingKey::from_secret(b"the client's secret, long enough");
    let hmac = jsonwebtoken::encode(&jsonwebtoken::Header::new(Algorithm::HS256), &claims(json!({})), &shared).unwrap();
    assert_eq!(check(&hmac, &[&first]), Err(Doubt::Algorithm("HS256".to_owned())));
}

#[test]
fn the_userinfo_is_of_the_same_person() {
    let (key, jwk) = pair("k", SigningAlgorithm::Es256);
    let keys = JwkSet { keys: vec![jwk] };
    let read = |kind: &str, body: &str, signed| userinfo((kind, body.as_bytes()), &keys, EXPECTED, ("42", signed)).map(|_| ());
    assert_eq!(read("application/json", r#"{"sub":"42"}"#, false), Ok(()));
    assert_eq!(read("application/json; charset=utf-8", r#"{"sub":"42"}"#, true), Err(Doubt::Unsigned));
    assert_eq!(read("application/json", r#"{"sub":"43"}"#, false), Err(Doubt::OtherSubject));
    assert_eq!(read("application/json", r#"{"email":"a@b"}"#, false), Err(Doubt::Claim("sub")));
    assert_eq!(read("text/html", "<p>", false), Err(Doubt::Claim("userinfo")));
    for (changes, outcome) in [
        (json!({}), Ok(())),
        (json!({"sub": "43"}), Err(Doubt::OtherSubject)),
        (json!({"aud": "x"}), Err(Doubt::Aud)),
        (json!({"iss": "x"}), Err(Doubt::Iss)),
        (json!({"exp": NOW - 61}), Err(Doubt::Time)),
    ] {
        assert_eq!(read("application/jwt", &key.sign("JWT", &claims(changes.clone())).unwrap(), true), outcome, "{changes}");
    }
}

#[test]
fn a_logout_token_tells_a_logout_and_is_nothing_else() {
    let (key, jwk) = pair("k", SigningAlgorithm::Es256);
    let keys = JwkSet { keys: vec![jwk] };
    let told = json!({"nonce": null, "jti": "j", "sid": "s", "events": {LOGOUT_EVENT: {}}});
    let check = |typ: &str, changes: Value| {
        let mut all = told.clone();
        all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        logout_token(&key.sign(typ, &claims(all)).unwrap(), &keys, EXPECTED)
    };
    assert_eq!(
        check("logout+jwt", json!({})).unwrap(),
        LogoutClaims { subject: Some("42".into()), sid: Some("s".into()), jti: "j".into(), expires: NOW + 60 }
    );
    assert_eq!(check("JWT", json!({"sub": null})).unwrap().subject, None);
    for (changes, doubt) in [
        (json!({"events": null}), Doubt::LogoutToken("it tells no logout")),
        (json!({"events": {"x": {}}}), Doubt::LogoutToken("it tells no logout")),
        (json!({"events": {LOGOUT_EVENT: true}}), Doubt::LogoutToken("it tells no logout")),
        (json!({"nonce": "n"}), Doubt::LogoutToken("it holds a nonce")),
        (json!({"sub": null, "sid": null}), Doubt::LogoutToken("it names neither a person nor a session")),
        (json!({"aud": "x"}), Doubt::Aud),
        (json!({"iss": "x"}), Doubt::Iss),
        (json!({"iat": null}), Doubt::Claim("iat")),
        (json!({"jti": null}), Doubt::Claim("jti")),
    ] {
        assert_eq!(check("logout+jwt", changes.clone()), Err(doubt), "{changes}");
    }
    assert_eq!(check("at+jwt", json!({})), Err(Doubt::LogoutToken("typ")));
}

/// What a provider signed for an API, or to tell of a logout, is no ID token (RFC 8725 section 3.11).
#[test]
fn a_token_for_another_purpose_is_no_id_token() {
    let (key, jwk) = pair("k", SigningAlgorithm::Es256);
    let (keys, all) = (JwkSet { keys: vec![jwk] }, claims(json!({})));
    let check = |typ: &str| id_token(&key.sign(typ, &all).unwrap(), &keys, EXPECTED, ("n", &[], ""));
    assert!(check("JWT").is_ok() && check("jwt").is_ok());
    for typ in ["at+jwt", "logout+jwt", "application/at+jwt", "token-introspection+JWT"] {
        assert_eq!(check(typ), Err(Doubt::Claim("typ")), "{typ}");
    }
}

fn provider(changes: Value) -> Result<Provider, Doubt> {
    let mut document = json!({
        "issuer": ISSUER, "authorization_endpoint": "https://idp.example/authorize?x=1", "token_endpoint": "https://idp.example/token",
        "jwks_uri": "https://idp.example/jwks",
    });
    document.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Provider::read(document.to_string().as_bytes(), ISSUER)
}

#[test]
fn a_provider_is_who_it_was_taken_for() {
    assert!(provider(json!({})).is_ok());
    assert_eq!(provider(json!({"issuer": "https://idp.example/api/v2/"})), Err(Doubt::OtherIssuer("https://idp.example/api/v2/".into())));
    assert_eq!(provider(json!({"jwks_uri": "http://idp.example/jwks"})), Err(Doubt::Address("jwks_uri")));
    assert_eq!(provider(json!({"token_endpoint": "file:///etc/passwd"})), Err(Doubt::Address("token_endpoint")));
    assert_eq!(provider(json!({"token_endpoint": 1})), Err(Doubt::Document));
    for (address, good) in [
        ("https://idp.example", true),
        ("http://127.0.0.1:8080/a", true),
        ("http://localhost:8080", true),
        ("http://10.0.0.1", false),
        ("http://169.254.169.254/latest", false),
        ("https://u:p@idp.example", false),
        ("https://idp.example/#a", false),
        ("https://idp.example/?a=b", false),
        ("ftp://idp.example", false),
        ("idp.example", false),
    ] {
        assert_eq!(is_issuer(address), good, "{address}");
    }
    assert_eq!(document_address("https://idp.example/"), "https://idp.example/.well-known/openid-configuration");
}

#[test]
fn a_provider_is_asked_with_what_it_lists_and_no_more() {
    let question = Question {
        client_id: "octroi",
        redirect_uri: "https://octroi.example/auth/pc/callback",
        scopes: &["openid".into(), "email".into()],
        state: "s",
        nonce: "n",
        verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        acr_values: &["eidas1".into()],
        wants_amr: true,
        login_hint: None,
    };
    let names = |address: &str| {
        let url = Url::parse(address).unwrap();
        url.query_pairs().map(|(name, _)| name.into_owned()).collect::<Vec<_>>()
    };
    let known = provider(json!({"claims_parameter_supported": true})).unwrap();
    let address = authorization_address(&known, question);
    let listed = ["x", "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method"];
    assert_eq!(names(&address), [&listed[..], &["claims"]].concat());
    assert!(address.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), "{address}");
    assert!(address.contains("%22acr%22%3A%7B%22essential%22%3Atrue"), "{address}");
    let old = provider(json!({})).unwrap();
    assert_eq!(names(&authorization_address(&old, question)), [&listed[..], &["acr_values"]].concat());
    let plain = Question { acr_values: &[], wants_amr: false, ..question };
    assert_eq!(names(&authorization_address(&known, plain)), listed);
}

#[test]
fn we_say_who_we_are_as_was_agreed() {
    let exchange = ("c", "https://o.example/cb", "v");
    let basic = token_request(ISSUER, "a:b", Proof::Basic("p%/ é"), exchange).unwrap();
    assert_eq!(basic.form, "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fo.example%2Fcb&code_verifier=v");
    let sent = basic.authorization.unwrap();
    assert_eq!(STANDARD.decode(sent.strip_prefix("Basic ").unwrap()).unwrap(), b"a%3Ab:p%25%2F+%C3%A9");
    let post = token_request(ISSUER, "octroi", Proof::Post("s&"), exchange).unwrap();
    assert!(post.authorization.is_none() && post.form.ends_with("&client_id=octroi&client_secret=s%26"), "{}", post.form);
    let (key, jwk) = pair("k", SigningAlgorithm::Es256);
    let signed = token_request(ISSUER, "octroi", Proof::Key { key: &key, word: "once", now: NOW }, exchange).unwrap();
    let sent: std::collections::HashMap<_, _> = form_urlencoded::parse(signed.form.as_bytes()).into_owned().collect();
    let expected = crate::client_assertion::Expected { client_id: "octroi", issuer: ISSUER, addresses: &[], now: NOW };
    let read = crate::client_assertion::check(&sent["client_assertion"], &JwkSet { keys: vec![jwk] }, &foreign::FAPI, expected).unwrap();
    assert_eq!(read.jti, "once");
}

#[test]
fn facts_come_in_three_dialects() {
    let map = |value: Value| value.as_object().unwrap().clone();
    let none = Map::new();
    let first = Facts::of(
        &map(json!({"email": " Ada@Rivebelle.Example ", "email_verified": "true", "given_name": "Ada", "family_name": "L\n",
            "organizations": [{"id": 7, "siret": "21 340 172 201 787", "label": "Rivebelle", "is_external": "true"}, {"id": 8}]})),
        &none,
    );
    assert_eq!((first.email.as_deref(), first.email_verified), (Some("ada@rivebelle.example"), Some(true)));
    assert_eq!(first.family_name, "L");
    let held = OrganizationFacts { id: "7".into(), siret: "21340172201787".into(), label: "Rivebelle".into(), is_external: true };
    assert_eq!(first.organizations, [held]);
    let flat =
        Facts::of(&map(json!({"usual_name": "Lovelace", "siret": "21340172201787", "label": "R", "organization": {"siret": "1"}})), &none);
    assert_eq!((flat.family_name.as_str(), flat.organizations.len()), ("Lovelace", 2));
    assert_eq!(flat.organizations.last().unwrap().id, "21340172201787");
    // One place says the address, the other that another one is verified.
    let split = Facts::of(&map(json!({"email": "a@b.example"})), &map(json!({"email": "c@d.example", "email_verified": true})));
    assert_eq!((split.email.as_deref(), split.email_verified), (Some("a@b.example"), None));
    assert_eq!(Facts::of(&map(json!({"email": "a b@c", "email_verified": 1})), &none), Facts::default());
}
