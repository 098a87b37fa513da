//! A small good catalogue, and what the tests beside it need.

mod broken;
mod reading;
mod shipped;
mod writing;

use std::{fs, path::Path};

use octroi_domain::Moment;
use tempfile::TempDir;

pub(super) const PROVIDER: &str = "slug: ville
name: { fr: Ville, en: Town }
siret: \"21750001600019\"
";
pub(super) const API: &str = "slug: bourses
provider: ville
name: { fr: Bourses, en: Grants }
description: { fr: Des bourses, en: Grants }
mount: /ville/bourses/v1
visibility: public
access:
  mode: permit
  definitions: [aides]
plans:
  - id: standard
    name: { fr: Standard, en: Standard }
backends:
  sandbox:
    mocks: true
  production:
    upstream: https://api.ville.example/bourses
cases:
  path: mocks
  operations:
    bourse: GET /bourse
contracts:
  - operations: [GET /bourse]
    opens:
      montant: [data.montant]
      enfants: ['data.enfants[*].nom']
    always: [meta]
";
pub(super) const OPENAPI: &str = "openapi: 3.0.3
info: { title: Bourses, version: '1' }
paths:
  /bourse:
    get:
      responses:
        200:
          description: Trouvée
          content:
            application/json:
              schema:
                type: object
                properties:
                  data:
                    type: object
                    properties:
                      montant: { type: integer }
                      enfants: { type: array, items: { type: object, properties: { nom: { type: string } } } }
                  meta: { type: object }
";
pub(super) const CASE: &str = "params: { nom: MOREL, annee: 2026 }
status: 200
payload: |-
  {
    \"data\": { \"montant\": 12 }
  }
";
pub(super) const DEFINITION: &str = "slug: aides
provider: ville
name: { fr: Aides, en: Aid }
description: { fr: Des aides, en: Aid }
apis: [ville/bourses]
blocks:
  - kind: basic_information
  - kind: scopes
scopes:
  - value: montant
    name: { fr: Montant, en: Amount }
    group: { fr: Bourse, en: Grant }
  - value: enfants
    name: { fr: Enfants, en: Children }
    group: { fr: Bourse, en: Grant }
";
pub(super) const FORM: &str = "slug: libre
name: { fr: Libre, en: Free }
default: true
prefill:
  title: Bourses
";

/// The files of the small catalogue: path, text.
pub(super) const FILES: [(&str, &str); 6] = [
    ("ville/provider.yaml", PROVIDER),
    ("ville/bourses/api.yaml", API),
    ("ville/bourses/openapi.yaml", OPENAPI),
    ("ville/bourses/mocks/bourse/200.yaml", CASE),
    ("ville/aides/definition.yaml", DEFINITION),
    ("ville/aides/forms/libre.yaml", FORM),
];

pub(super) fn put(dir: &Path, path: &str, text: &str) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The small catalogue in a folder of its own.
pub(super) fn small() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in FILES {
        put(dir.path(), path, text);
    }
    dir
}

pub(super) fn now() -> Moment {
    "2026-06-01T00:00:00Z".parse().unwrap()
}
