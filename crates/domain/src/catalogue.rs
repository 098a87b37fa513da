//! The catalogue as files: what each YAML file of a folder may say.
//!
//! ```text
//! <provider>/provider.yaml              Provider
//! <provider>/<api>/api.yaml             Api
//! <provider>/<api>/openapi.yaml
//! <provider>/<api>/mocks/<folder>/*.yaml  CaseFile
//! <provider>/<definition>/definition.yaml  Definition without its forms
//! <provider>/<definition>/forms/<form>.yaml  Form
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Slug,
    api::{ApiDocument, OperationName},
    definition::Definition,
    mail::Sender,
    organization::Siret,
    text::Text,
};

/// A body that publishes APIs: `provider.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub slug: Slug,
    pub name: Text,
    pub siret: Siret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<String>,
    /// Who its mails come from, where that is not the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_from: Option<Sender>,
}

/// A folder of case files: `<path>/<folder>/<case>.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFolder {
    /// Relative to the API's folder, or absolute.
    pub path: String,
    /// Which operation each folder answers. When left out, the Markdown table of the `README.md`
    /// beside or above the folder is read: `` | `folder` | `GET /path` | … ``.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub operations: BTreeMap<String, OperationName>,
}

/// One case file. Other members (`title`, `description`, `example`, …) are read and left aside.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CaseFile {
    #[serde(default)]
    pub params: BTreeMap<String, Value>,
    pub status: u16,
    /// JSON text.
    pub payload: String,
}

/// A catalogue, read whole and linted: what `octroi apply` brings into the database.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    pub providers: Vec<Provider>,
    pub apis: Vec<ApiDocument>,
    pub definitions: Vec<Definition>,
}
