use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

fn siret() -> Siret {
    "21750001600019".parse().unwrap()
}

/// A directory that answers once with these bytes; what was understood, and the head that it received.
async fn told(mode: Mode, answer: Vec<u8>) -> (Result<Option<Facts>, DirectoryFault>, String) {
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "jeton\n").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Directory {
        mode,
        url: Some(format!("http://{}/base/", listener.local_addr().unwrap())),
        token_file: (mode == Mode::ApiEntreprise).then_some(token_file),
        recipient: Some("13002526500013".parse().unwrap()),
        timeout: 1,
    };
    settings.check().unwrap();
    let asker = Asker::new(&settings).unwrap().unwrap();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = stream.read(&mut head).await.unwrap();
        // The reader may have enough before all is written.
        let _ = stream.write_all(&answer).await;
        if answer.is_empty() {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        String::from_utf8(head[..length].to_vec()).unwrap()
    });
    let found = asker.find(&siret()).await;
    (found, heard.await.unwrap())
}

fn answer(status: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn the_public_search_is_asked_and_understood() {
    let paris = json!({"results": [{
        "siren": "217500016", "nom_complet": "VILLE DE PARIS", "nature_juridique": "7210", "tranche_effectif_salarie": "53",
        "complements": {"est_service_public": true},
        "siege": {"siret": "21750001600019", "adresse": "PL DE L HOTEL DE VILLE 75004 PARIS", "commune": "75104", "etat_administratif": "A",
            "activite_principale": "84.11Z", "tranche_effectif_salarie": "42"},
        "matching_etablissements": [{"siret": "21750001600118", "etat_administratif": "F"}]
    }], "total_results": 1});
    let (found, head) = told(Mode::RechercheEntreprises, answer("200 OK", &paris)).await;
    let facts = found.unwrap().unwrap();
    assert!(head.starts_with("GET /base/search?q=21750001600019&page=1&per_page=1 HTTP/1.1\r\n"), "{head}");
    assert!(!head.to_lowercase().contains("authorization"), "{head}");
    assert_eq!((facts.label.as_str(), facts.active, facts.is_public, facts.is_commune()), ("VILLE DE PARIS", true, true, true));
    assert_eq!((facts.commune.as_deref(), facts.workforce.map(|workforce| workforce.from)), (Some("75104"), Some(1_000)));

    let mut closed = paris.clone();
    closed["results"][0]["siege"]["etat_administratif"] = json!("F");
    assert!(!told(Mode::RechercheEntreprises, answer("200 OK", &closed)).await.0.unwrap().unwrap().active);
    let other = json!({"results": [{"nom_complet": "X", "siege": {"siret": "13002526500013"}}]});
    for nothing in [json!({"results": []}), other] {
        assert_eq!(told(Mode::RechercheEntreprises, answer("200 OK", &nothing)).await.0, Ok(None));
    }
}

#[tokio::test]
async fn sirene_is_asked_with_a_token_and_understood() {
    let paris = json!({"data": {
        "siret": "21750001600019", "etat_administratif": "A", "activite_principale": {"code": "84.11Z"},
        "tranche_effectif_salarie": {"code": "21"},
        "unite_legale": {"personne_morale_attributs": {"raison_sociale": "VILLE DE PARIS\u{7}"}, "forme_juridique": {"code": "7210"}},
        "adresse": {"code_commune": "75104", "acheminement_postal": {"l4": "PL DE L HOTEL DE VILLE", "l6": "75004 PARIS", "l7": "FRANCE"}}
    }});
    let (found, head) = told(Mode::ApiEntreprise, answer("200 OK", &paris)).await;
    let facts = found.unwrap().unwrap();
    assert!(head.starts_with("GET /base/v3/insee/sirene/etablissements/21750001600019?context="), "{head}");
    assert!(head.contains("recipient=13002526500013") && head.contains("Bearer jeton\r\n"), "{head}");
    assert_eq!((facts.label.as_str(), facts.is_public), ("VILLE DE PARIS", true));
    assert_eq!(facts.address.as_deref(), Some("PL DE L HOTEL DE VILLE, 75004 PARIS, FRANCE"));
    assert_eq!(told(Mode::ApiEntreprise, answer("404 Not Found", &json!({"errors": []}))).await.0, Ok(None));
    let mut other = paris;
    other["data"]["siret"] = json!("13002526500013");
    assert!(told(Mode::ApiEntreprise, answer("200 OK", &other)).await.0.is_err());
}

#[tokio::test]
async fn what_is_no_answer_is_a_fault() {
    let mut large = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", LARGEST + 1).into_bytes();
    large.resize(large.len() + LARGEST + 1, b'1');
    let redirect = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".to_vec();
    for (what, bytes) in [
        ("too large", large),
        ("redirect", redirect),
        ("busy", answer("429 Too Many Requests", &json!({}))),
        ("broken", answer("500 Internal Server Error", &json!({}))),
        ("not JSON", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<>".to_vec()),
        ("nothing in it", answer("200 OK", &json!({}))),
        ("silent", Vec::new()),
    ] {
        assert!(told(Mode::RechercheEntreprises, bytes).await.0.is_err(), "{what}");
    }
}

#[test]
fn only_https_leaves_the_machine() {
    for (url, host, port, path) in [
        ("https://recherche-entreprises.api.gouv.fr", "recherche-entreprises.api.gouv.fr", 443, ""),
        ("https://proxy.example:8443/dir/", "proxy.example", 8443, "/dir"),
        ("http://127.0.0.1:9000", "127.0.0.1", 9000, ""),
    ] {
        let place = Place::read(url).unwrap();
        assert_eq!((place.host.as_str(), place.port, place.path.as_str()), (host, port, path), "{url}");
    }
    for bad in ["http://directory.example", "ftp://x", "https://", "https://user@host", "https://host:port", "https://host/?q=", "x"] {
        assert_eq!(Place::read(bad), None, "{bad}");
    }
    let settings = Directory { mode: Mode::ApiEntreprise, ..Directory::default() };
    assert!(settings.check().unwrap_err().to_string().contains("directory.recipient"));
    assert!(Asker::new(&Directory::default()).unwrap().is_none());
}
