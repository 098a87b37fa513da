//! Names of bodies, people and projects: made up, with the accents and the common words of real ones.

use octroi_domain::{Id, Moment, fold, text::Language, user::User};

use super::chance::Chance;

const BODIES: [&str; 14] = [
    "Commune de",
    "Commune de",
    "Commune de",
    "Commune de",
    "Commune de",
    "Commune de",
    "Mairie de",
    "Ville de",
    "CCAS de",
    "Communauté de communes de",
    "Département de",
    "Centre hospitalier de",
    "Syndicat scolaire de",
    "Agglomération de",
];
const STEMS: [&str; 48] = [
    "Rivebelle",
    "Hautmoulin",
    "Châtelneuf",
    "Pontésy",
    "L’Haÿ-les-Blés",
    "Évranges",
    "Saint-Aubrac",
    "Montclair",
    "Belcourt",
    "Fontvieille",
    "Grandpré",
    "Villedieu",
    "Beaurepaire",
    "Neuvéglise",
    "Bois-le-Comte",
    "Vaucresson-sur-Orne",
    "Cœurmont",
    "Lamarche",
    "Préval",
    "Saint-Ély",
    "Aubépine",
    "Roquefort-la-Tour",
    "Clairvaux",
    "Ormesson",
    "Sainte-Orse",
    "Trévigny",
    "Marsannes",
    "Vieux-Moulin",
    "Lons-le-Haut",
    "Courbevanne",
    "Ploubaz",
    "Kerméné",
    "Etxeberri",
    "Wintzheim",
    "Oberkirch",
    "Dunebourg",
    "Bréauté",
    "Chênevert",
    "Mirefleurs",
    "Noyers",
    "Orcières",
    "Sauveterre",
    "Taillebourg",
    "Ussel-le-Vieux",
    "Valmer",
    "Yssandon",
    "Zuydcote",
    "Aÿ-sous-Bois",
];
const RIVERS: [&str; 24] = [
    "",
    "-sur-Loire",
    "-sur-Seine",
    "-en-Brie",
    "-la-Forêt",
    "-les-Bains",
    "-le-Château",
    "-en-Velay",
    "-sur-Mer",
    "-du-Gard",
    "-en-Auge",
    "-sous-Bois",
    "-d’Ardèche",
    "-de-Provence",
    "-en-Vexin",
    "-sur-Isère",
    "-le-Grand",
    "-le-Petit",
    "-aux-Bois",
    "-l’Abbaye",
    "-en-Argonne",
    "-sur-Lot",
    "-du-Lac",
    "-la-Vallée",
];
const GIVEN: [&str; 40] = [
    "Camille",
    "Léa",
    "Noël",
    "Zoé",
    "François",
    "Hélène",
    "Aïcha",
    "Mathéo",
    "Jérôme",
    "Anne",
    "Louis",
    "Inès",
    "Thérèse",
    "Yanis",
    "Maël",
    "Chloé",
    "Rémi",
    "Agnès",
    "Olivier",
    "Sarah",
    "Éric",
    "Nadia",
    "Benoît",
    "Lucie",
    "Ibrahim",
    "Élodie",
    "Paul",
    "Manon",
    "Joël",
    "Claire",
    "Karim",
    "Émile",
    "Sophie",
    "Gaëlle",
    "Hugo",
    "Irène",
    "Loïc",
    "Marie",
    "Théo",
    "Jade",
];
const FAMILY: [&str; 50] = [
    "Martin",
    "Bernard",
    "Thomas",
    "Petit",
    "Robert",
    "Richard",
    "Durand",
    "Dubois",
    "Moreau",
    "Laurent",
    "Simon",
    "Michel",
    "Lefèvre",
    "Leroy",
    "Roux",
    "David",
    "Bertrand",
    "Morel",
    "Fournier",
    "Girard",
    "Bonnet",
    "Dupont",
    "Lambert",
    "Fontaine",
    "Rousseau",
    "Vincent",
    "Müller",
    "Lefebvre",
    "Faure",
    "André",
    "Mercier",
    "Blanc",
    "Guérin",
    "Boyer",
    "Garnier",
    "Chevalier",
    "François",
    "Legrand",
    "Gauthier",
    "Garcia",
    "Perrin",
    "Robin",
    "Clément",
    "Morin",
    "Nicolas",
    "Henry",
    "Roussel",
    "Mathieu",
    "Gautier",
    "Masson",
];
const PROJECTS: [&str; 32] = [
    "Tarification de la restauration scolaire",
    "Tarif social de l’eau",
    "Inscription en crèche",
    "Accueil de loisirs sans hébergement",
    "Transport scolaire",
    "Aide à la mobilité des étudiants",
    "Carte de stationnement",
    "Aide facultative du CCAS",
    "Bourse communale",
    "Quotient familial des activités",
    "Portail famille",
    "Instruction de l’aide au permis",
    "Logement social : pièces du dossier",
    "Chèque énergie local",
    "Aide aux vacances",
    "Facturation de la cantine",
    "Pré-remplissage de la demande de bourse",
    "Vérification du statut d’étudiant",
    "Gestion des abonnements de tennis",
    "Tarification des piscines",
    "Accès au restaurant universitaire",
    "Aide au chauffage",
    "Secours d’urgence",
    "Attestation de droits sans papier",
    "Dématérialisation des aides sociales",
    "Téléservice petite enfance",
    "Simplification du dossier unique",
    "Tarif solidaire des transports",
    "Prime à la reconversion",
    "Contrôle des ressources",
    "Billettique",
    "Guichet unique de la jeunesse",
];

/// Name, and the domain of its addresses.
#[must_use]
pub fn organization(place: usize, chance: &mut Chance) -> (String, String) {
    let stem = STEMS.get(place % STEMS.len()).copied().unwrap_or_default();
    let river = RIVERS.get(place / STEMS.len() % RIVERS.len()).copied().unwrap_or_default();
    let body = chance.one(&BODIES).copied().unwrap_or_default();
    let town = format!("{stem}{river}");
    // Past a thousand towns there are several of one name, as there are.
    (format!("{body} {town}"), format!("{}-{place}.example", fold::words(&town).join("-")))
}

/// Fourteen digits whose Luhn sum is right.
#[must_use]
pub fn siret(place: usize) -> String {
    let start = format!("2{:08}0001", place + 10_000);
    let sum = |digits: &str| -> u32 {
        let weighed = |(place, digit): (usize, char)| {
            let digit = digit.to_digit(10).unwrap_or(0) * if place % 2 == 0 { 1 } else { 2 };
            if digit > 9 { digit - 9 } else { digit }
        };
        digits.chars().rev().enumerate().map(weighed).sum()
    };
    let last = (10 - sum(&format!("{start}0")) % 10) % 10;
    format!("{start}{last}")
}

#[must_use]
pub fn person(place: usize, domain: &str, created_at: Moment, chance: &mut Chance) -> User {
    let (given, family) = (chance.one(&GIVEN).copied().unwrap_or_default(), chance.one(&FAMILY).copied().unwrap_or_default());
    let name = [fold::words(given).concat(), fold::words(family).concat()].join(".");
    User {
        id: Id::from_uuid(chance.uuid()),
        email: format!("{name}.{place}@{domain}"),
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        language: Language::Fr,
        created_at,
        email_verified_at: Some(created_at),
    }
}

/// Half of them with the name of the place, as people write.
#[must_use]
pub fn project(organization: &str, chance: &mut Chance) -> String {
    let project = chance.one(&PROJECTS).copied().unwrap_or_default();
    if chance.percent(50) { format!("{project} – {organization}") } else { project.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_organization_has_a_siret_of_its_own() {
        let sirets: std::collections::BTreeSet<String> = (0..5_000).map(siret).collect();
        assert_eq!(sirets.len(), 5_000);
        for siret in sirets {
            assert!(siret.parse::<octroi_domain::organization::Siret>().is_ok(), "{siret}");
        }
    }
}
