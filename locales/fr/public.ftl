## Accueil
home-title = Accéder à des données à accès restreint
home-lead = Des administrations détiennent des données que vous n’avez pas à redemander aux usagers. Ici, on demande le droit de les utiliser, une personne décide, et chaque appel est contrôlé.
home-need = J’ai besoin de données
home-need-text = Trouvez une API, lisez ce qu’elle donne et qui peut l’avoir, essayez-la, puis faites une demande.
home-provide = Je fournis des données
home-provide-text = Publiez une API, décidez qui l’utilise, voyez chaque appel et arrêtez un accès d’un geste.
home-mine = Où mes données sont-elles utilisées ?
home-mine-text = Le registre public dit quelles organisations peuvent lire quelles données, pour quoi faire et selon quel texte.
home-how = Comment cela se passe
home-how-choose = Vous choisissez une API et le formulaire de votre cas d’usage.
home-how-apply = Vous dites pourquoi, sur quel texte vous vous fondez et quelles données il vous faut, pas davantage.
home-how-decide = Le service qui détient les données accepte, refuse ou demande une précision.
home-how-call = Votre application reçoit sa clé. Chaque réponse ne contient que les données de votre habilitation.
home-apis = { $count ->
    [one] API publique
   *[other] API publiques
}
home-permits = { $count ->
    [one] habilitation en vigueur
   *[other] habilitations en vigueur
}
home-programs = Pour les programmes
home-programs-text = Tout ce que fait ce portail se fait aussi par l’API REST.
home-portal = Portail et API REST
home-sandbox = Passerelle du bac à sable
home-production = Passerelle de production

## Fournir
provide-title = Fournir des données
provide-lead = Vous détenez des données que d’autres administrations ont le droit de lire. La plateforme tient la porte : vous gardez la décision.
provide-what = Ce que la plateforme fait pour vous
provide-what-decide = Elle recueille les demandes dans un formulaire que vous définissez, et vos instructeurs décident.
provide-what-enforce = Elle contrôle chaque appel : la clé, l’application, l’habilitation, l’étape, le quota.
provide-what-minimise = Elle retire de chaque réponse ce que l’habilitation n’ouvre pas.
provide-what-trace = Elle garde la trace de chaque appel et vous la montre aussitôt.
provide-what-stop = Elle coupe un accès dès que vous le révoquez : l’appel suivant est refusé.
provide-how = Publier une API
provide-how-describe = Décrivez-la par un document OpenAPI et quelques lignes : son adresse, ses offres, qui peut l’avoir.
provide-how-masks = Écrivez, pour chaque droit, les champs qu’il ouvre.
provide-how-check = Faites vérifier ces fichiers : chaque faute est nommée avec sa ligne et son remède.
provide-how-roles = Désignez qui instruit, qui administre l’API et qui regarde seulement.
provide-mine = Vous administrez déjà une API :
provide-begin = Commencer, étape par étape
provide-begin-write = Vous écrivez à l’exploitant de la plateforme : quelles données, pour qui, et le texte qui permet de les transmettre.
provide-begin-describe = Vous convenez de la description de l’API, du formulaire de demande et des droits, qui sont des fichiers relus ensemble.
provide-begin-people = L’exploitant crée les comptes de vos instructeurs et de vos administrateurs d’API.
provide-begin-try = Chacun essaie l’API dans le bac à sable, avec des données inventées.
provide-begin-open = Vous ouvrez la production, et instruisez les premières demandes.
provide-contact = Écrivez à l’exploitant de la plateforme :
provide-publisher = Écrivez à l’exploitant de la plateforme, que nomment les :
provide-no-contact = L’exploitant de cette plateforme n’a pas encore indiqué ici comment le joindre : adressez-vous au service qui vous a fait connaître ce portail. Si c’est vous, renseignez « contact » dans les réglages du portail.
provide-look = Pour voir ce qu’obtient un fournisseur, regardez la page d’une API déjà publiée :

## Mes données
my-data-title = Où mes données sont-elles utilisées ?
my-data-lead = Des organisations peuvent lire des données qui vous concernent sans vous les redemander. Cette page dit lesquelles, et comment savoir si elles l’ont fait.
my-data-who = Qui peut lire quoi
my-data-who-text = Chaque droit accordé est inscrit au registre public : l’organisation, les données, la finalité et le texte sur lequel il se fonde. Cherchez-y le nom d’une commune, d’une organisation ou d’un service.
my-data-register = Chercher dans le registre public
my-data-how = Ce qui est garanti à chaque appel
my-data-how-permit = Sans habilitation en vigueur, l’appel est refusé.
my-data-how-fields = La réponse ne contient que les données que l’habilitation nomme ; les autres sont retirées.
my-data-how-trace = L’appel laisse une trace : quelle organisation, quelle habilitation, quelle API, quand.
my-data-how-stop = Une habilitation révoquée cesse d’ouvrir l’accès aussitôt.
my-data-not = Ce que cette page ne peut pas dire
my-data-not-text = Les traces ne contiennent ni votre nom, ni ce qui a été demandé sur vous : la plateforme ne sait donc pas elle-même de qui parlait un appel. Seule l’organisation qui a fait l’appel, ou celui qui détient les données, peut vous répondre.
my-data-ask = Comment demander
my-data-ask-find = Trouvez l’organisation dans le registre, et notez le numéro de l’habilitation.
my-data-ask-write = Écrivez à son délégué à la protection des données pour exercer votre droit d’accès (article 15 du règlement général sur la protection des données).
my-data-ask-month = Il a un mois pour vous répondre.
my-data-ask-cnil = Sans réponse, ou si elle ne vous convient pas, adressez-vous à la CNIL.
my-data-cnil = Adresser une plainte à la CNIL
my-data-contact = Pour ce qui concerne la plateforme elle-même :

## Catalogue
catalogue-title = Catalogue des API
catalogue-lead = Ce que l’on peut demander, et ce qui est ouvert à tous.
catalogue-search = Chercher dans le catalogue
catalogue-words = Mots
catalogue-provider = Fournisseur
catalogue-theme = Thème
catalogue-access = Accès
catalogue-all = Tous
catalogue-submit = Chercher
catalogue-reset = Tout afficher
catalogue-found = { $count ->
    [0] Aucune API sur { $total }
    [one] 1 API sur { $total }
   *[other] { $count } API sur { $total }
}
catalogue-note = { $provider } · { $count ->
    [one] 1 opération
   *[other] { $count } opérations
}
catalogue-empty = Aucune API ne correspond. Vous pouvez :
catalogue-empty-words = essayer un autre mot (le nom d’une donnée, d’une démarche ou d’un fournisseur), ou enlever un filtre.
catalogue-empty-helper = partir de ce que vous voulez faire.
api-access-open = Ouverte à tous
api-access-approval = Sur accord
api-access-permit = Sur habilitation
api-theme-family_and_social = Famille et aides sociales
api-theme-tax = Impôts
api-theme-education = Éducation
api-theme-work = Emploi
api-theme-health = Santé
api-theme-justice = Droit et justice
api-theme-identity = Identité
api-theme-business = Entreprises
api-theme-housing = Logement et territoires
api-theme-transport = Transports
api-theme-environment = Environnement
api-theme-administration = Administration

## Une API
api-tabs = Pages de cette API
api-tab-about = Présentation
api-tab-reference = Référence
api-tab-try = Essayer
api-private = Privée
api-how-open = Il suffit d’accepter les conditions : l’application est abonnée aussitôt.
api-how-approval = L’administrateur de l’API accepte chaque abonnement.
api-how-permit = Il faut une habilitation : une demande motivée, que le fournisseur instruit.
api-apply = Demander l’habilitation « { $name } »
api-subscribe = Abonner une application
api-facts = En bref
api-provider = Fournisseur
api-audience = Qui peut l’avoir
api-legal-basis = Base légale
api-credentials = Identifiants acceptés
api-credential-access_token = Jeton d’accès OAuth 2
api-credential-api_key = Clé d’API
api-support = Aide
api-contract = Contrat
api-document = Document OpenAPI (JSON)
api-version = Version publiée
api-plans = Offres
api-plan = Offre
api-plan-rate = Appels par seconde
api-plan-quota = Appels par jour
api-plan-unlimited = sans limite
api-plans-limits = Limites de chaque offre
api-plans-none = Aucune offre n’est décrite.
api-terms = Conditions d’utilisation
api-terms-link = Lire les conditions
api-opened-by = Habilitation « { $name } »
api-validity = Durée
api-validity-months = { $count ->
    [one] 1 mois
   *[other] { $count } mois
}
api-validity-open = jusqu’à sa révocation
api-stages-in-turn = Demandée étape par étape
api-forms = Formulaires
api-form-vendor = { $name } (logiciel { $vendor })
api-definition-terms = Conditions de l’habilitation
api-scopes = Les données, droit par droit
api-scopes-text = Une habilitation nomme des droits ; chacun ouvre certains champs des réponses, et rien d’autre ne sort.
api-scope-group = { $group } · { $count ->
    [one] 1 droit
   *[other] { $count } droits
}
api-scopes-of = { $group }
api-scope = Droit
api-scope-code = Code
api-scope-opens = Champs ouverts
api-scope-included = Toujours compris.
api-scope-whole = { $count ->
    [one] La réponse entière d’une opération
   *[other] La réponse entière de { $count } opérations
}

## Référence
reference-title = { $api } : référence
reference-read = Le document complet :
reference-operations = Opérations
reference-group = Opérations : { $group }
reference-operation = Opération
reference-call = Appel
reference-scopes = Droits qui l’ouvrent
reference-no-scope = aucun n’est nécessaire
reference-deprecated = à ne plus employer
reference-deprecated-text = Cette opération va disparaître : n’écrivez plus de programme qui l’appelle.
reference-all = Toutes les opérations
reference-try = Essayer cette opération
reference-who = Qui peut l’appeler
reference-who-subscribed = Toute application abonnée à l’API.
reference-who-scopes = { $count ->
    [one] Une application dont l’habilitation a ce droit :
   *[other] Une application dont l’habilitation a au moins un de ces droits :
}
reference-who-list = { $count ->
    [one] Le droit
   *[other] Les { $count } droits
}
reference-send = Ce que l’on envoie
reference-parameters = Paramètres
reference-no-parameter = Cette opération ne prend aucun paramètre.
reference-name = Nom
reference-place = Place
reference-type = Type
reference-meaning = Sens
reference-required = obligatoire
reference-optional = facultatif
reference-values = Valeurs : { $values }
reference-body = Corps ({ $type })
reference-body-free = Le document ne décrit pas les champs de ce corps.
reference-receive = Ce que l’on reçoit
reference-answers = Réponses
reference-no-answer = Le document ne décrit aucune réponse.
reference-status = Statut
reference-content = Contenu
reference-no-body = vide
reference-masked = Un champ n’est dans la réponse que si l’habilitation a l’un des droits qui l’ouvrent ; les autres champs sont retirés.
reference-fields = Champs de la réponse { $status }
reference-field = Champ
reference-opened-by = Ouvert par
reference-cut = La réponse a d’autres champs, que le document décrit :
shown-always = toujours présent
shown-partly = selon ses champs
shown-never = jamais transmis
parameter-in-path = dans le chemin
parameter-in-query = paramètre d’URL
parameter-in-header = en-tête
json-type-string = texte
json-type-integer = nombre entier
json-type-number = nombre
json-type-boolean = vrai ou faux
json-type-object = objet
json-type-any = valeur libre
json-list-string = liste de textes
json-list-integer = liste de nombres entiers
json-list-number = liste de nombres
json-list-boolean = liste de vrai ou faux
json-list-object = liste d’objets
json-list-any = liste

## Essai
try-title = { $api } : essai
try-lead = Un appel au bac à sable, dont les données sont inventées : rien ne touche une vraie personne.
try-choose = Choisir
try-operation = Opération
try-no-key = Cette plateforme n’a pas de clé d’essai
try-no-key-text = Remplissez le formulaire : l’appel sera écrit pour vous, à faire avec l’identifiant de votre application.
try-tokens-only = Cette API n’accepte pas de clé
try-not-in-sandbox = Cette API n’est pas ouverte dans le bac à sable
try-not-in-sandbox-text = On ne peut pas l’essayer ici.
try-values = Les valeurs de l’appel
try-reference = Référence de cette opération
try-samples = Cas de test
try-samples-text = Le bac à sable répond selon les valeurs. Choisissez un cas : le formulaire se remplit.
try-sample = { $name } (réponse { $status })
try-sample-chosen = { $sample }, affiché
try-body = Corps de l’appel ({ $type })
try-one-per-line = Une valeur par ligne.
try-none = (rien)
try-mock-params = Bac à sable seulement : ce que l’usager aurait apporté avec lui, par exemple avec FranceConnect. Un objet JSON.
try-send = Envoyer au bac à sable
try-write = Écrire l’appel
try-result = Résultat
try-request = Appel
try-took = Durée
try-milliseconds = { $count } ms
try-answer = Réponse
try-cut = La suite n’est pas affichée : la réponse est longue.
try-headers = En-têtes de la réponse
try-value = Valeur
try-curl = Le même appel, dans un terminal
try-written = L’appel est écrit
try-written-text = Mettez-y l’identifiant de votre application, puis lancez-le.
try-no-answer = Il n’y a pas de réponse
try-unreachable = Le bac à sable n’a pas pu être joint. Réessayez dans un instant.
try-too-slow = Le bac à sable n’a pas répondu à temps. Réessayez dans un instant.
try-too-large = La réponse est trop grande pour être montrée ici. Faites l’appel dans un terminal.
try-refused = La passerelle a refusé l’appel : { $code }
try-refused-text = La réponse dit pourquoi et quoi faire. L’API n’a pas été appelée.
try-found = L’API a répondu : { $status }
try-found-text = Voici sa réponse, telle que la reçoit une application dont l’habilitation a les droits de la clé d’essai.
try-other = L’API a répondu : { $status }
try-other-text = Ce n’est pas une erreur de la passerelle : l’API n’a pas trouvé, ou n’a pas accepté les valeurs. Choisissez un cas de test.

## Registre
register-title = Registre public des habilitations
register-lead = Toutes les habilitations en vigueur : quelle organisation peut lire quelles données, pour quoi faire et selon quel texte.
register-search = Chercher dans le registre
register-words = Organisation, SIRET, intitulé ou numéro
register-definition = Habilitation
register-found = { $count ->
    [0] Aucune habilitation en vigueur
    [one] 1 habilitation en vigueur
   *[other] { $count } habilitations en vigueur
}
register-reset = Tout afficher
register-empty = Aucune habilitation ne correspond. Essayez d’autres mots, ou moins de filtres.
register-files = Les mêmes lignes, pour un tableur ou un programme :
register-csv = CSV
register-json = JSON
register-pages = Pages du registre
register-first = Début du registre
register-next = Page suivante
register-organization = Organisation
register-siret = SIRET
register-purpose = Finalité
register-legal-basis = Base légale
register-legal-text = Texte
register-stage = Étape
register-granted = Accordée le
register-until = En vigueur jusqu’au
register-no-end = sa révocation
register-scopes = { $count ->
    [one] 1 droit d’accès
   *[other] { $count } droits d’accès
}
register-note = Le registre ne nomme aucune personne.

## Statistiques
statistics-title = Statistiques
statistics-lead = Combien on demande, combien de temps prend une décision, combien on appelle. Des totaux seulement.
statistics-requests = Demandes
statistics-permits = Habilitations en vigueur
statistics-median = Délai médian
statistics-p90 = Délai, neuf fois sur dix
statistics-hours = { $hours } h
statistics-in-days = { $days } j
statistics-under-an-hour = moins d’une heure
statistics-none = aucune décision
statistics-months = Demandes ouvertes chaque mois, selon leur état d’aujourd’hui
statistics-months-text = Une colonne par mois, sur douze mois ; { $count } demandes en tout.
statistics-month = Mois
statistics-table = Les chiffres en tableau
statistics-delay-title = Délais de décision
statistics-delays = Temps entre le premier envoi et la décision, par mois de décision
statistics-delays-text = Deux lignes sur douze mois : la moitié des décisions, et neuf décisions sur dix ; { $count } décisions. Un mois sans décision n’a pas de point.
statistics-who = Qui demande quoi
statistics-by-definition = Par type d’habilitation
statistics-by-provider = Par fournisseur
statistics-name = Nom
statistics-decided = Décisions sur douze mois
statistics-first = { $caption } (les { $count } plus demandés)
statistics-nothing = Rien à compter encore.
statistics-calls-title = Appels
statistics-days = Appels par jour de chaque API
statistics-other-apis = { $count ->
    [one] une autre API
   *[other] { $count } autres API
}
statistics-days-text = Une ligne par API, sur trente jours ; { $count } appels.
statistics-day = Jour
statistics-calls = Appels des API sur trente jours, les plus appelées d’abord
statistics-api = API
statistics-calls-count = Appels
statistics-made = Chiffres du
statistics-json = Tous les chiffres, en JSON

## Mentions légales
legal-publisher = Éditeur
legal-no-publisher = L’exploitant de cette plateforme n’a pas encore renseigné qui l’édite et qui l’héberge.
legal-contact = Contact :
legal-personal = Données personnelles
legal-personal-accounts = Le portail garde, de chaque compte, le nom, l’adresse électronique, l’organisation et les actions faites. Les mots de passe ne sont gardés que sous une forme qui ne permet pas de les retrouver.
legal-personal-traces = Chaque appel aux passerelles laisse une trace : l’application, l’API, l’heure, le résultat, l’adresse de réseau. Elle est rendue anonyme, pour toujours, après { $days ->
    [one] 1 jour
   *[other] { $days } jours
}. Elle ne contient ni ce qui a été demandé, ni la réponse.
legal-personal-register = Le registre public nomme des organisations, jamais une personne.
legal-personal-rights = Vous avez le droit d’accéder aux données qui vous concernent et de les faire rectifier.
legal-cookies = Cookies
legal-cookies-text = Ce site n’emploie que les cookies dont il a besoin pour fonctionner : aucun ne suit personne, aucun ne vient d’un autre site. Aucun consentement n’est donc demandé.
legal-cookies-session = La session : qui vous êtes, jusqu’à ce que vous vous déconnectiez, douze heures au plus.
legal-cookies-language = Vos choix d’affichage, dont la langue : un an.
legal-cookies-flash = Le message qui confirme ce que vous venez de faire : une minute.
legal-reuse = Réutilisation
legal-reuse-text = Le registre et les statistiques peuvent être réutilisés librement, en citant la source et la date. Les données des API suivent les conditions de chacune.
legal-software = Logiciel
legal-software-name = Nom
legal-software-version = Version
legal-software-licence = Licence

## Accessibilité
accessibility-title = Accessibilité
accessibility-lead = Ce portail est fait pour être utilisé par tous, avec toutes sortes d’outils. Cette page dit ce qui a été vérifié et ce qui ne l’a pas été.
accessibility-state = État
accessibility-state-text = Le portail vise le RGAA 4.1 et les WCAG 2.2, niveau AA. Il n’a pas été audité : il n’est donc pas déclaré conforme.
accessibility-tested = Ce qui est vérifié à chaque version
accessibility-tested-axe = Les pages, dans les deux langues, par un contrôle automatique (axe) dans un vrai navigateur.
accessibility-tested-keyboard = Le parcours entier, de la demande à la révocation, au clavier seul.
accessibility-tested-script = Le même parcours, sans JavaScript.
accessibility-tested-narrow = L’affichage sur 320 points de large, et le contraste en clair comme en sombre.
accessibility-not = Ce qui ne l’est pas
accessibility-not-people = Aucun essai n’a été fait avec des personnes handicapées, ni avec un lecteur d’écran.
accessibility-not-audit = Un contrôle automatique ne trouve qu’une partie des défauts ; aucun auditeur n’a examiné ces pages.
accessibility-not-docs = La documentation de l’API REST est celle d’un outil tiers, qui n’est pas vérifié. Le document OpenAPI donne les mêmes informations.
accessibility-not-texts = Les textes écrits par les fournisseurs et les demandeurs ne sont pas vérifiés ; certains ne sont que dans une langue.
accessibility-report = Signaler un défaut
accessibility-report-text = Dites ce que vous vouliez faire, avec quel outil, et ce qui s’est passé : à l’exploitant de la plateforme.
accessibility-defender = Sans réponse, vous pouvez saisir le Défenseur des droits.
accessibility-defender-link = Écrire au Défenseur des droits
