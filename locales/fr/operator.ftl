## Pages de l’exploitant
operator-title = Exploitation de la plateforme
operator-overview = Vue d’ensemble
operator-organizations = Organisations
operator-organizations-text = Chercher, créer, voir les membres.
operator-people = Personnes
operator-people-text = Comptes, appartenances et rôles.
operator-apis = API
operator-apis-text = Versions, étapes et serveurs d’origine.
operator-definitions = Types d’habilitation
operator-definitions-text = Versions et résultats du contrôle.
operator-outbox = Courriels
operator-outbox-text = Ce qui attend, a échoué ou est parti.
operator-ledger = Registre
operator-ledger-text = Parcourir les inscriptions et vérifier la chaîne.
operator-settings = Réglages
operator-settings-text = Les réglages en vigueur, sans les secrets.
operator-health = Santé
operator-health-text = Base de données, passerelles, disque et tâches.
create = Créer
cancel = Annuler

## Santé
health-good = Tout fonctionne
health-no-database = La base de données ne répond pas
health-no-database-text = Vérifiez qu’elle est démarrée et joignable ; les appels continuent tant que la vue des passerelles est fraîche.
health-gateway-stale = La passerelle { $stage } n’a pas de vue fraîche
health-gateway-stale-text = Les API restreintes y sont refusées. Regardez le journal du programme : la raison y est écrite.
health-traces-lost = { $count ->
    [one] Une trace a été perdue
   *[other] { $count } traces ont été perdues
}
health-mails-failed = { $count ->
    [one] Un courriel n’a pas pu partir
   *[other] { $count } courriels n’ont pas pu partir
}
health-disk-low = Il reste peu de place sur le disque
health-disk-low-text = Moins d’un dixième est libre. Agrandissez le disque ou libérez de la place avant qu’il ne soit plein.
health-job-failed = La tâche « { $job } » a échoué
health-database = Base de données
health-no-answer = Ne répond pas
health-ms = { $ms } ms
health-outbox-counts = { $waiting } en attente, { $failed } en échec
health-outbox-oldest = Plus ancien courriel en attente
health-disk = Disque
health-disk-room = { $free } Go libres sur { $total } Go
health-gateways = Passerelles de ce nœud
health-gateways-none = Aucune passerelle ne tourne dans ce programme.
health-gateway = Passerelle
health-state = État
health-ready = Prête
health-not-ready = Vue périmée
health-never = Jamais
health-view-age = Âge de la vue
health-view-version = Version de la vue
health-lost = Traces perdues
health-jobs = Tâches de ce nœud
health-jobs-note = Chaque nœud tient les siennes ; cette page montre celui qui a répondu.
health-jobs-none = Aucune tâche n’a encore tourné.
health-job = Tâche
health-last-run = Dernier passage
health-took = Durée
health-last-error = Dernière erreur
health-no-error = Aucune
job-counters = Compteurs des quotas
job-mails = Envoi des courriels
job-expiry = Fin des habilitations
job-retention = Anonymisation des traces
job-purge = Ménage

## Réglages
settings-name = Réglage
settings-value = Valeur
settings-origin = Origine
settings-default = Par défaut
settings-set = Choisi
settings-note = Pour en changer un, modifiez octroi.toml puis redémarrez. Les mots de passe ne sont jamais montrés.
settings-none = Ce programme ne dit pas ses réglages.

## Courriels
outbox-all = Tous les courriels
outbox-state-waiting = En attente
outbox-state-failed = En échec
outbox-state-done = Partis
outbox-to = À
outbox-subject = Objet
outbox-created = Écrit
outbox-attempts = Essais
outbox-when = Prochain essai ou fin
outbox-retry = Réessayer maintenant
outbox-retry-all = Réessayer tous les échecs
outbox-none = Aucun courriel ici.
flash-mail-retried = Le courriel est remis en attente.
flash-mails-retried = Les courriels en échec sont remis en attente.

## Publications
published-name = Nom
published-slug = Identifiant
published-provider = Fournisseur
published-stages = Étapes
published-versions = Versions
published-version = version { $version } du { $date }
published-current = Version en vigueur
published-number = Version
published-at = Publiée
published-hash = Empreinte SHA-256
published-forms = Formulaires
published-none = Rien n’est publié. Appliquez un catalogue avec la commande octroi apply.
published-yes = Publiée
published-withdrawn = Retirée
published-retired = Retiré
published-startable = Ouvert aux demandes
published-not-startable = Fermé aux demandes
published-upstream = { $stage } : { $upstream }
published-mocks = { $stage } : réponses préparées
visibility-public = Publique
visibility-private = Privée
lint-good = Contrôle sans faute
lint-faults = { $count ->
    [one] Une faute au contrôle
   *[other] { $count } fautes au contrôle
}
lint-fault = Faute au contrôle

## Organisations
organization-new = Créer une organisation
organization-search = Chercher une organisation
organization-search-hint = Début d’un mot du nom, ou SIRET
organization-none = Aucune organisation ne correspond. Effacez la recherche ou créez l’organisation.
organization-name = Nom
organization-siret-hint = 14 chiffres
organization-siret-wrong = Ce n’est pas un SIRET : 14 chiffres, dont le dernier vérifie les autres.
organization-members = Membres
organization-no-member = Aucun membre. Créez une personne pour cette organisation.
organization-more-members = Seuls les premiers membres sont montrés.
flash-organization-created = L’organisation est créée.

## Personnes
person-new = Créer une personne
person-new-here = Créer une personne ici
person-search = Chercher une personne
person-search-hint = Début d’un nom ou de l’adresse
person-none = Personne ne correspond. Effacez la recherche ou créez le compte.
person-name = Nom
person-given-name = Prénom
person-family-name = Nom de famille
person-language = Langue des courriels
person-password = Mot de passe de départ
person-password-hint = 12 caractères au moins. Transmettez-le par un autre canal que le courriel.
person-organization = SIRET de l’organisation
person-organization-hint = 14 chiffres
person-organization-unknown = Aucune organisation n’a ce SIRET : vérifiez-le ou créez-la d’abord.
person-organizations = Organisations
person-no-organization = N’appartient à aucune organisation.
person-link-new = Ajouter ou changer une appartenance
person-link-send = Enregistrer l’appartenance
person-link-end = Mettre fin
person-roles = Rôles
person-no-role = Aucun rôle : cette personne peut demander pour ses organisations.
person-role-new = Donner un rôle
language-fr = Français
language-en = Anglais
flash-person-created = Le compte est créé.
flash-person-linked = L’appartenance est enregistrée.
flash-person-unlinked = L’appartenance est terminée.

## Rôles
role = Rôle
role-applicant = Demandeur
role-reviewer = Instructeur
role-observer = Rapporteur
role-subscriber = Abonné aux notifications
role-manager = Responsable
role-developer = Développeur
role-api_administrator = Administrateur d’API
role-operator = Exploitant
role-perimeter = Périmètre
role-perimeter-hint = definition:nom, api:fournisseur/nom, provider:nom, ou platform pour l’exploitant
role-perimeter-wrong = Écrivez definition:nom, api:fournisseur/nom, provider:nom ou platform.
role-wrong = Choisissez un rôle.
role-grant = Donner ce rôle
role-withdraw = Retirer
flash-role-granted = Le rôle est donné.
flash-role-withdrawn = Le rôle est retiré.
manage-roles = Rôles par type d’habilitation
manage-roles-of = Voir qui a quel rôle
manage-roles-for = Rôles pour { $definition }
manage-roles-text = Choisissez le type d’habilitation dont vous voulez changer les rôles.
manage-roles-note = Personne ne change ses propres rôles. Ceux de tout un fournisseur sont donnés par l’exploitant.
manage-holders = Qui a quel rôle
manage-no-holder = Personne n’a de rôle pour ce type d’habilitation.
manage-this-definition = Ce type d’habilitation
manage-whole-provider = Tout le fournisseur
manage-email-hint = La personne doit avoir un compte.
manage-role-hint = Instructeur : décide. Rapporteur : lit. Développeur : lit et utilise l’API. Responsable : décide et donne les rôles. Abonné : reçoit les notifications.

## Registre
ledger-search = Chercher dans le registre
ledger-subject = Objet
ledger-subject-hint = D12, H12, user:identifiant…
ledger-actor = Auteur
ledger-actor-hint = user:identifiant, application:identifiant, system
ledger-action = Action
ledger-action-hint = permit.granted, role.withdrawn…
ledger-number = Numéro
ledger-at = Quand
ledger-details = Faits
ledger-none = Aucune inscription ne correspond : les trois champs se comparent exactement.
ledger-history = Historique
ledger-see = Voir dans le registre
ledger-verify-title = Vérification du registre
ledger-verify-text = Relit toutes les inscriptions, contrôle que chacune suit la précédente, et compare avec les habilitations. Cela continue si vous fermez cette page.
ledger-verify = Vérifier tout le registre
ledger-verify-running = Vérification en cours
ledger-verifying = Inscriptions relues
ledger-refresh = Actualiser
ledger-verifications = Dernières vérifications
ledger-never-verified = Le registre n’a pas encore été vérifié depuis cette page.
ledger-started = Commencée
ledger-read = Relues
ledger-outcome = Ce qui a été trouvé
ledger-entries-of = { $entries } sur { $total }
ledger-fault = inscription { $entry } : { $fault }
ledger-broken = Le registre est rompu
verification-running = En cours
verification-interrupted = Interrompue
verification-sound = Sain
verification-broken = Rompu
verification-failed = Pas menée à bien
flash-ledger-verifying = La vérification a commencé.
