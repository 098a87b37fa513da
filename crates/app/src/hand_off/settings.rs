//! What an operator may set of a product, and the addresses that follow from it.

use octroi_domain::{
    connection::{HandOff, OrganizationPolicy, Product},
    hand_off::{HELP_PATH, MOST_TOKEN_SECONDS, PICK_PATH, TOKEN_SECONDS},
    organization::Siret,
};
use octroi_oauth::redirect_uri::RedirectUri;

use crate::error::Error;

/// Organisations that one product lists.
const MOST_LISTED: usize = 20_000;

/// Refuses a product that nobody could be handed over to safely.
///
/// # Errors
/// `Invalid`, with the member under `/product`.
pub fn check(product: &Product) -> Result<(), Error> {
    let details = &product.details;
    front(&product.front, "/product/front")?;
    for (address, pointer) in [
        (&details.help, "/product/details/help"),
        (&details.pick, "/product/details/pick"),
        (&details.after_logout, "/product/details/after_logout"),
    ] {
        if let Some(address) = address {
            front(address, pointer)?;
        }
    }
    if product.hand_off == HandOff::QueryLegacy && !product.query_legacy_allowed {
        return Err(Error::field(
            "/product/query_legacy_allowed",
            "not_allowed",
            "Un jeton dans l’adresse reste dans les journaux et l’historique. Si ce produit ne peut vraiment rien d’autre, dites-le par `query_legacy_allowed`.",
            "A token in the address stays in logs and histories. If this product really can do nothing else, say so by `query_legacy_allowed`.",
        ));
    }
    if details.token_seconds.is_some_and(|seconds| !(60..=MOST_TOKEN_SECONDS).contains(&seconds)) {
        return Err(Error::field(
            "/product/details/token_seconds",
            "range",
            format!("Donnez une durée de 60 à {MOST_TOKEN_SECONDS} secondes."),
            format!("Give a time of 60 to {MOST_TOKEN_SECONDS} seconds."),
        ));
    }
    if let OrganizationPolicy::Listed(list) = &product.organizations {
        if list.len() > MOST_LISTED {
            return Err(Error::field(
                "/product/organizations",
                "too_many",
                format!("Au plus {MOST_LISTED} organisations."),
                format!("At most {MOST_LISTED} organisations."),
            ));
        }
        if let Some(bad) = list.keys().find(|siret| siret.parse::<Siret>().is_err()) {
            let shown: String = bad.chars().take(40).collect();
            return Err(Error::field(
                "/product/organizations",
                "siret",
                format!("« {shown} » n’est pas un SIRET."),
                format!("“{shown}” is not a SIRET."),
            ));
        }
    }
    Ok(())
}

/// An address that people are sent to: over TLS or on this machine, without query or fragment, for what it is given is added there.
fn front(address: &str, pointer: &str) -> Result<(), Error> {
    let read = RedirectUri::read(address).ok().filter(|uri| uri.origin().is_some() && !address.contains('?'));
    match read {
        Some(_) => Ok(()),
        None => Err(Error::field(
            pointer,
            "address",
            "Donnez une adresse complète en https:// (http:// sur cette machine seulement), sans « ? » ni « # ».",
            "Give a whole address that begins with https:// (http:// for this machine alone), without “?” and “#”.",
        )),
    }
}

/// Scheme, host and port of the product's front, as a browser writes them.
///
/// # Errors
/// When the address is none: it was checked when it was set.
pub fn origin(product: &Product) -> Result<String, Error> {
    let origin = RedirectUri::read(&product.front).ok().and_then(|uri| uri.origin());
    origin.ok_or_else(|| Error::Internal("the front of a product is no address".to_owned()))
}

/// Where people are helped who come for no organisation that the product knows.
pub(super) fn help(product: &Product) -> Result<String, Error> {
    Ok(match &product.details.help {
        Some(help) => help.clone(),
        None => format!("{}{HELP_PATH}", origin(product)?),
    })
}

/// Where the front shows the choice of the organisation; none: we do.
pub(super) fn pick(product: &Product) -> Result<Option<String>, Error> {
    Ok(match (&product.details.pick, product.details.front_picks) {
        (_, false) => None,
        (Some(pick), true) => Some(pick.clone()),
        (None, true) => Some(format!("{}{PICK_PATH}", origin(product)?)),
    })
}

pub(super) fn token_seconds(product: &Product) -> u32 {
    product.details.token_seconds.unwrap_or(TOKEN_SECONDS).min(MOST_TOKEN_SECONDS)
}

#[cfg(test)]
mod tests {
    use octroi_domain::hand_off::ProductDetails;

    use super::*;

    fn product(front: &str) -> Product {
        Product {
            front: front.into(),
            hand_off: HandOff::Session,
            query_legacy_allowed: false,
            organizations: OrganizationPolicy::Any,
            details: ProductDetails::default(),
        }
    }

    #[test]
    fn people_are_handed_over_to_addresses_that_keep_what_they_are_given() {
        for good in ["https://front.example/auth/login", "http://127.0.0.1:4000/", "http://localhost:4000/auth"] {
            assert!(check(&product(good)).is_ok(), "{good}");
        }
        for bad in [
            "http://front.example/",
            "https://front.example/#a",
            "https://front.example/?a=b",
            "https://a@front.example/",
            "/auth",
            "fr.app.x:/cb",
        ] {
            assert!(check(&product(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_in_the_address_is_asked_for_twice() {
        let mut legacy = Product { hand_off: HandOff::QueryLegacy, ..product("https://front.example/") };
        assert!(check(&legacy).is_err());
        legacy.query_legacy_allowed = true;
        assert!(check(&legacy).is_ok());
        legacy.details.token_seconds = Some(86_400);
        assert!(check(&legacy).is_err());
    }

    #[test]
    fn the_paths_of_the_first_product() {
        let mut some = product("https://front.example:8443/auth/datapass/login");
        assert_eq!(help(&some).unwrap(), "https://front.example:8443/auth/datapass/create-organization");
        assert_eq!(pick(&some).unwrap(), None);
        some.details.front_picks = true;
        assert_eq!(pick(&some).unwrap().as_deref(), Some("https://front.example:8443/auth/datapass/pick-organization"));
    }
}
