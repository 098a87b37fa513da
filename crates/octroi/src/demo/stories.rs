//! What the people of the demo ask for, and what reviewers write to them. All of it is invented.

/// A project, as the form asks for it.
pub struct Story {
    pub form: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub purpose: &'static str,
    pub recipients: &'static str,
    pub legal_basis: &'static str,
    pub months: u16,
    /// None: those of the form's own example.
    pub scopes: &'static [&'static str],
    /// Title and address of what supports it, where the form has a place for it.
    pub document: Option<(&'static str, &'static str)>,
}

/// The first request of Rivebelle, whose permit its applications call with.
pub const CANTEEN: Story = Story {
    form: "libre",
    title: "Tarifs de la cantine de Rivebelle",
    description: "Les familles inscrivent leurs enfants à la cantine sur le portail de la commune. Le tarif de chaque famille est calculé d’après son quotient familial, sans qu’elle ait de document à fournir.",
    purpose: "Calculer le tarif de la cantine de chaque enfant inscrit, et le recalculer à chaque rentrée.",
    recipients: "Les quatre agents du service scolaire et la régie de recettes.",
    legal_basis: "Délibération du conseil municipal de Rivebelle du 12 juin sur les tarifs des services périscolaires.",
    months: 12,
    scopes: &[],
    document: None,
};

/// The second, of the other definition.
pub const TAX: Story = Story {
    form: "libre",
    title: "Revenus des foyers pour les aides communales",
    description: "Le centre communal d’action sociale accorde une aide au chauffage aux foyers modestes. Le revenu fiscal de référence et le nombre de parts remplacent la copie de l’avis d’impôt.",
    purpose: "Vérifier que le foyer est sous le plafond de ressources de l’aide, et en fixer le montant.",
    recipients: "Les trois travailleurs sociaux du centre communal d’action sociale.",
    legal_basis: "Règlement des aides facultatives adopté par le conseil d’administration du centre communal d’action sociale.",
    months: 24,
    scopes: &[],
    document: Some(("Règlement des aides facultatives", "https://www.rivebelle.example/aides/reglement.pdf")),
};

/// The one that has no ground.
pub const TRAVEL: Story = Story {
    form: "libre",
    title: "Proposer des voyages aux familles selon leurs revenus",
    description: "Notre agence souhaite adresser à chaque famille une offre de séjour adaptée à son budget.",
    purpose: "Choisir l’offre envoyée à chaque client selon son quotient familial.",
    recipients: "Le service commercial de l’agence.",
    legal_basis: "Intérêt légitime de l’entreprise.",
    months: 36,
    scopes: &[],
    document: None,
};

pub const TOWN: [Story; 9] = [
    Story {
        form: "cantine",
        title: "Tarifs de la cantine selon le quotient familial",
        description: "Neuf tranches de tarif remplacent le tarif unique à la rentrée. Le service lit le quotient familial au moment de l’inscription.",
        purpose: "Ranger chaque famille dans sa tranche de tarif de restauration scolaire.",
        recipients: "Agents du service de l’enfance et régisseur de la cantine.",
        legal_basis: "Délibération fixant les tarifs de la restauration scolaire.",
        months: 12,
        scopes: &["cnaf_quotient_familial", "cnaf_enfants"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Accueil de loisirs du mercredi",
        description: "Deux centres accueillent 140 enfants le mercredi et pendant les vacances. Le prix de la journée dépend du quotient familial.",
        purpose: "Fixer le prix de la journée d’accueil de chaque enfant.",
        recipients: "La directrice de chaque centre et la régie.",
        legal_basis: "Délibération sur les accueils collectifs de mineurs, et convention avec la caisse d’allocations familiales.",
        months: 12,
        scopes: &["cnaf_quotient_familial", "cnaf_enfants"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Inscription en crèche",
        description: "La commission d’attribution se réunit en mai. Pour chaque enfant admis, le contrat d’accueil fixe le tarif horaire.",
        purpose: "Calculer la participation familiale selon le barème national des crèches.",
        recipients: "Le relais petite enfance et les directrices des trois crèches.",
        legal_basis: "Convention d’objectifs et de financement, prestation de service unique.",
        months: 18,
        scopes: &["cnav_participation_familiale_eaje_enfants", "cnav_participation_familiale_eaje_parametres_calcul"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Stationnement résidentiel",
        description: "Les habitants du centre demandent leur carte en ligne. L’adresse du foyer suffit à ouvrir le droit ; aucune facture n’est plus demandée.",
        purpose: "Vérifier que le demandeur habite dans le périmètre de la zone bleue.",
        recipients: "Deux agents de la police municipale.",
        legal_basis: "Arrêté municipal sur le stationnement réglementé du centre.",
        months: 6,
        scopes: &["cnaf_adresse"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Aide sociale facultative",
        description: "Une aide d’urgence est versée sous 48 heures aux personnes qui perçoivent un minimum social.",
        purpose: "Vérifier la situation de la personne qui demande une aide d’urgence.",
        recipients: "La commission permanente du centre communal d’action sociale.",
        legal_basis: "Règlement intérieur des aides du centre communal d’action sociale.",
        months: 24,
        scopes: &["revenu_solidarite_active", "allocation_adulte_handicape"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Carte de transport solidaire",
        description: "Le réseau de bus offre la gratuité aux demandeurs d’emploi et aux bénéficiaires de la complémentaire santé solidaire.",
        purpose: "Ouvrir ou renouveler le droit à la carte gratuite.",
        recipients: "Le guichet de la gare routière.",
        legal_basis: "Délibération sur la tarification sociale des transports.",
        months: 12,
        scopes: &["complementaire_sante_solidaire", "pole_emploi_inscription"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Bourse communale aux étudiants",
        description: "La commune complète de 300 euros par an la bourse des étudiants qui y ont grandi.",
        purpose: "Vérifier l’échelon de la bourse de l’étudiant qui demande l’aide.",
        recipients: "L’agent chargé de la jeunesse.",
        legal_basis: "Délibération créant la bourse communale.",
        months: 12,
        scopes: &["cnous_statut_boursier", "cnous_echelon_bourse"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Tarif de l’école de musique",
        description: "Les cours d’instrument coûtent de 60 à 420 euros par an selon le quotient familial.",
        purpose: "Calculer le tarif annuel de chaque élève.",
        recipients: "Le secrétariat de l’école de musique.",
        legal_basis: "Délibération sur les tarifs des services culturels.",
        months: 12,
        scopes: &["cnaf_quotient_familial"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Dossier unique des familles",
        description: "Un seul dossier sert à la cantine, au périscolaire et aux séjours : la famille le remplit une fois, et ne le reprend que si sa situation change.",
        purpose: "Tenir à jour la composition et le quotient du foyer pour tous les services de l’enfance.",
        recipients: "Les agents du guichet famille.",
        legal_basis: "Délibération créant le guichet famille, et registre des traitements de la commune.",
        months: 48,
        scopes: &["cnaf_quotient_familial", "cnaf_allocataires", "cnaf_enfants"],
        document: None,
    },
];

pub const MINISTRY: [Story; 3] = [
    Story {
        form: "libre",
        title: "Bourses des collèges",
        description: "Les demandes de bourse sont instruites par les collèges. L’attestation de quotient familial n’est plus demandée en pièce jointe.",
        purpose: "Déterminer l’échelon de la bourse de chaque élève.",
        recipients: "Les gestionnaires des établissements et les services départementaux.",
        legal_basis: "Code de l’éducation, articles D531-4 et suivants.",
        months: 18,
        scopes: &["cnaf_quotient_familial", "cnaf_enfants"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Droits d’inscription aux concours",
        description: "Les candidats boursiers sont dispensés des droits d’inscription : leur situation est vérifiée pendant l’inscription.",
        purpose: "Accorder la dispense sans demander d’attestation.",
        recipients: "Le service interacadémique des examens et concours.",
        legal_basis: "Arrêté annuel fixant les droits d’inscription aux concours.",
        months: 6,
        scopes: &["cnous_statut_boursier"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Fonds social lycéen",
        description: "Le chef d’établissement accorde une aide ponctuelle aux élèves dont la famille traverse une difficulté.",
        purpose: "Apprécier les ressources du foyer avant la commission du fonds social.",
        recipients: "L’assistante sociale et l’adjoint gestionnaire.",
        legal_basis: "Circulaire sur les fonds sociaux des établissements scolaires.",
        months: 12,
        scopes: &["cnaf_quotient_familial", "prime_activite"],
        document: None,
    },
];

pub const VENDOR: [Story; 3] = [
    Story {
        form: "cantine",
        title: "Portail famille de nos communes clientes",
        description: "Notre logiciel équipe 38 communes. Il lit le quotient familial pour leur compte, et le tarif paraît dès l’inscription.",
        purpose: "Calculer les tarifs périscolaires pour le compte des communes équipées.",
        recipients: "Les agents de chaque commune ; nous n’agissons que comme sous-traitant.",
        legal_basis: "Contrats de sous-traitance signés avec les communes (article 28 du RGPD).",
        months: 12,
        scopes: &["cnaf_quotient_familial", "cnaf_enfants"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Guichet social intercommunal",
        description: "Une communauté de communes nous confie l’outil d’instruction de ses aides sociales.",
        purpose: "Afficher à l’agent la situation du demandeur pendant l’entretien.",
        recipients: "Les agents instructeurs de la communauté de communes.",
        legal_basis: "Marché public et convention de sous-traitance avec la communauté de communes.",
        months: 24,
        scopes: &["revenu_solidarite_active", "complementaire_sante_solidaire"],
        document: None,
    },
    Story {
        form: "libre",
        title: "Tarification solidaire des piscines",
        description: "Le contrôle d’accès de quatre piscines applique le tarif réduit sans que personne ait à montrer de document à la caisse.",
        purpose: "Ouvrir le tarif réduit aux abonnés qui y ont droit.",
        recipients: "Les caissiers, qui ne voient que le tarif.",
        legal_basis: "Délibération du syndicat intercommunal sur les tarifs des piscines.",
        months: 12,
        scopes: &["cnaf_quotient_familial"],
        document: None,
    },
];

/// Given name, family name, job: whom requests name.
pub const CONTACTS: [(&str, &str, &str); 7] = [
    ("Camille", "Dupont", "Responsable du service"),
    ("Yanis", "Lefort", "Directeur informatique"),
    ("Nadia", "Perrin", "Déléguée à la protection des données"),
    ("Hugues", "Tissier", "Chef de projet"),
    ("Soline", "Marchand", "Directrice adjointe"),
    ("Karim", "Oulad", "Administrateur système"),
    ("Jeanne", "Vidal", "Juriste"),
];

/// What reviewers ask for before they decide.
pub const CHANGES: [&str; 3] = [
    "Bonjour, merci de préciser quels agents verront les données, et de donner le lien vers la délibération.",
    "Bonjour, la durée de conservation semble longue pour un tarif recalculé chaque année. Pouvez-vous la réduire, ou l’expliquer ?",
    "Bonjour, la finalité est claire, mais le texte cité ne porte pas sur ce service. Lequel le prévoit ?",
];

pub const REFUSALS: [&str; 3] = [
    "Le tarif annoncé ne dépend ni du foyer ni des enfants : ces données ne sont pas nécessaires.",
    "La convention jointe a pris fin. Faites une nouvelle demande quand elle sera renouvelée.",
    "Une demande de la même commune couvre déjà ce service : utilisez l’habilitation accordée.",
];

pub const SUSPENSIONS: [&str; 3] = [
    "Le nombre d’appels a triplé en une nuit ; nous vérifions avec vous d’où ils viennent.",
    "Des appels arrivent le dimanche, alors que le service est fermé. Merci de nous dire quel programme les fait.",
    "Le délégué à la protection des données nous signale un accès trop large à l’outil.",
];

pub const REVOCATIONS: [&str; 3] = [
    "Le service a fermé à la fin de l’année scolaire.",
    "La compétence a été transférée à la communauté de communes, qui a sa propre habilitation.",
    "La commune a changé de logiciel et n’utilise plus cet accès.",
];
