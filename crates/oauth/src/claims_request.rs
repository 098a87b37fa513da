//! The `claims` parameter (OpenID Connect Core section 5.5): which claims a client asks for one by one, and where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How one claim is asked for (section 5.5.1).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Wanted {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}
impl Wanted {
    /// The values that would do; none: any.
    #[must_use]
    pub fn accepted(&self) -> Vec<&str> {
        self.value.iter().chain(&self.values).filter_map(Value::as_str).collect()
    }
}

/// Claim → how it is wanted; `null` asks for it as it comes.
type Claims = BTreeMap<String, Option<Wanted>>;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClaimsRequest {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: Claims,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: Claims,
}
impl ClaimsRequest {
    /// `None` when it is no such request, or asks for more than 100 claims.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let members: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
        let read: Self = serde_json::from_value(Value::Object(members)).ok()?;
        (read.userinfo.len() + read.id_token.len() <= 100).then_some(read)
    }

    /// The values of `acr` that are demanded (section 5.5.1.1); empty when none is.
    #[must_use]
    pub fn essential_acr(&self) -> Vec<&str> {
        let wanted = self.id_token.get("acr").and_then(Option::as_ref).filter(|wanted| wanted.essential);
        wanted.map(Wanted::accepted).unwrap_or_default()
    }

    /// The `sub` that the person has to have (section 5.5.1).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        let wanted = [&self.id_token, &self.userinfo].into_iter().find_map(|claims| claims.get("sub").and_then(Option::as_ref));
        wanted.and_then(|wanted| wanted.value.as_ref()).and_then(Value::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        let read = ClaimsRequest::read(
            r#"{"userinfo": {"given_name": {"essential": true}, "nickname": null, "http://example.info/claims/groups": null},
                "id_token": {"auth_time": {"essential": true}, "acr": {"essential": true, "values": ["eidas1", "eidas1-mfa"]}, "sub": {"value": "abc"}}}"#,
        )
        .unwrap();
        assert_eq!(read.essential_acr(), ["eidas1", "eidas1-mfa"]);
        assert_eq!(read.subject(), Some("abc"));
        assert!(read.userinfo["given_name"].as_ref().unwrap().essential);
    }

    #[test]
    fn what_is_none() {
        for text in ["", "[]", "1", r#"{"userinfo": []}"#, r#"{"userinfo": {"a": 1}}"#, r#"{"userinfo": {"a": {"essential": "yes"}}}"#] {
            assert_eq!(ClaimsRequest::read(text), None, "{text}");
        }
    }
}
