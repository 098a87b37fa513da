//! A visitor tries APIs from their pages: the portal calls the sandbox with the demo's public key.

use serde_json::json;

use crate::harness::{Answer, Demo, shared};

async fn tried(demo: &Demo, api: &str, values: &[(&str, &str)]) -> Answer {
    let request = reqwest::Client::new().post(format!("{}/apis/{api}/try", demo.portal())).header("Accept-Language", "en");
    Answer::read(request.form(values).send().await.unwrap()).await
}

type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);

#[tokio::test]
async fn each_public_api_answers_a_visitor() {
    let demo = shared();
    let person = json!({ "nomNaissance": "MOREL", "prenoms": ["INES", "JADE"], "anneeDateNaissance": 1988, "moisDateNaissance": 4,
        "jourDateNaissance": 17, "sexeEtatCivil": "F", "codeCogInseeCommuneNaissance": "31555", "codeCogInseePaysNaissance": "99100" })
    .to_string();
    // The API, what is typed into its form, and what the answer holds.
    let cases: [Case; 4] = [
        (
            "dinum/api-particulier",
            vec![("operation", "get-v3-dss-quotient-familial-france-connect"), ("header.Octroi-Mock-Params", &person)],
            "ALLEE DES TILLEULS",
        ),
        (
            "dgfip/impot-particulier",
            vec![
                ("operation", "get-spi-spi-situations-ir-assiettes-annrev-annrev"),
                ("path.spi", "3099900001234"),
                ("path.annrev", "2024"),
            ],
            "28900",
        ),
        ("dila/legifrance", vec![("operation", "post-search"), ("body", "{\"fond\": \"JURI\"}")], "JURITEXT000037999394"),
        ("cassation/judilibre", vec![("operation", "get-search"), ("query.query", "travail")], "contrat de travail"),
    ];
    for (api, values, expected) in cases {
        let page = tried(demo, api, &values).await;
        assert_eq!(page.status, 200, "{api}: {}", page.text);
        assert!(page.text.contains("The API answered: 200") && page.text.contains(expected), "{api}: {}", page.text);
        let key = demo.file["test_key"].as_str().unwrap();
        assert!(page.text.contains(key), "the call can be made again with the key that everybody may know");
    }
    assert_eq!(tried(demo, "dinum/annuaire-interne", &[("operation", "get-agents")]).await.status, 404);
}
