## Cadre des pages
skip-to-content = Aller au contenu
menu = Menu principal
menu-home = Accueil
menu-dashboard = Tableau de bord
menu-review = Instruction
menu-my-apis = Mes API
menu-manage = Rôles
menu-applications = Applications
menu-operator = Exploitation
menu-catalogue = Catalogue
menu-register = Registre public
menu-statistics = Statistiques
menu-mailbox = Boîte aux lettres
other-language = English
breadcrumb = Fil d’Ariane
footer-legal = Mentions légales
footer-accessibility = Accessibilité
footer-api = Documentation de l’API
footer-components = Composants
footer-mails = Modèles de messages

## Connexion
sign-in = Se connecter
sign-out = Se déconnecter
sign-in-email = Adresse électronique
sign-in-password = Mot de passe
sign-in-wrong = L’adresse électronique ou le mot de passe est faux
sign-in-wrong-text = Vérifiez-les, puis réessayez.
sign-in-too-many = Trop d’essais
sign-in-too-many-text = Réessayez dans { $minutes ->
    [one] une minute
   *[other] { $minutes } minutes
}.
sign-in-demo = Démonstration : les comptes sont affichés là où le programme a été lancé ; leur mot de passe est octroi-demo-2026. Par exemple applicant@rivebelle.example demande, reviewer@dinum.example instruit.
session-ended = Votre session a pris fin
session-ended-kept = Ce que vous avez saisi est gardé : reconnectez-vous, puis envoyez-le de nouveau.
resume-title = Reprendre l’envoi
resume-text = La session est de nouveau ouverte. Ce que vous aviez saisi n’a pas encore été envoyé.
resume-shown = Ce qui sera envoyé
resume-password = Le mot de passe n’a pas été gardé : la page suivante le redemande.
sent-decision = Décision
sent-email = Adresse électronique
sent-family_name = Nom
sent-given_name = Prénom
sent-level = Lien avec l’organisation
sent-message = Message
sent-name = Nom
sent-organization = Organisation
sent-perimeter = Périmètre
sent-reason = Motif
sent-role = Rôle
sent-siret = SIRET
sent-text = Message
sent-title = Intitulé
resume-send = Envoyer ce que j’avais saisi
flash-signed-out = La session est fermée.

## Formulaires
form-errors = { $count ->
    [one] Un champ est à corriger
   *[other] { $count } champs sont à corriger
}
draft-unsaved = Modifications pas encore enregistrées
draft-not-saved = Pas enregistré automatiquement : utilisez le bouton pour enregistrer. Il dira pourquoi, et rien de ce que vous avez saisi ne sera perdu.
optional = (facultatif)
copy = Copier
copied = Copié

## Erreurs
error-title-400 = Requête mal formée
error-title-401 = Connexion requise
error-title-403 = Action refusée
error-title-404 = Page introuvable
error-title-405 = Action impossible ici
error-title-409 = La situation a changé
error-title-412 = La situation a changé
error-title-413 = Envoi trop grand
error-title-422 = Des champs sont à corriger
error-title-429 = Trop d’essais
error-title-500 = Erreur de notre côté
error-title-503 = Service indisponible
error-next-400 = Revenez à la page précédente et recommencez.
error-next-401 = Connectez-vous, puis recommencez.
error-next-403 = Si vous pensez en avoir besoin, demandez ce droit au responsable de votre organisation ou du fournisseur.
error-next-404 = L’adresse est peut-être incomplète, ou cette page n’est pas visible avec votre compte. Vérifiez que la session ouverte est celle du bon compte.
error-next-405 = Revenez à la page précédente et utilisez ses boutons.
error-next-409 = Rechargez la page précédente : elle montre la situation actuelle, puis choisissez quoi faire.
error-next-412 = Rechargez la page précédente : elle montre la situation actuelle, puis choisissez quoi faire.
error-next-413 = Utilisez le bouton retour du navigateur : ce que vous aviez saisi y est encore. Raccourcissez, puis renvoyez.
error-next-422 = Revenez à la page précédente, corrigez, puis envoyez de nouveau.
error-next-429 = Attendez un peu, puis réessayez.
error-next-500 = Réessayez dans un instant. Si cela continue, écrivez au support avec la référence ci-dessous.
error-next-503 = Rechargez cette page dans un instant : rien de ce qui était enregistré n’est perdu, et un formulaire envoyé est renvoyé.
error-csrf = Cet envoi ne vient pas d’une page de ce portail. Rien n’a été fait.
error-next-csrf = Revenez à la page d’où vous venez, rechargez-la, puis recommencez.
error-too-large = Ce que vous avez envoyé est trop long pour un seul formulaire. Rien n’a été enregistré.
error-next-address = Vérifiez l’adresse : quelque chose y a été ajouté ou en manque. Repartez d’une page ci-dessous.
error-unknown = Cette adresse n’a pas ce paramètre, retirez-le.
error-nowhere = Il n’y a rien à cette adresse.
error-way-back = Revenir à la page précédente
error-reference = Erreur { $status } · référence { $id }

## Dates
date-at-time = { $date } à { $time }
month-1 = janvier
month-2 = février
month-3 = mars
month-4 = avril
month-5 = mai
month-6 = juin
month-7 = juillet
month-8 = août
month-9 = septembre
month-10 = octobre
month-11 = novembre
month-12 = décembre
month-short-1 = janv.
month-short-2 = févr.
month-short-3 = mars
month-short-4 = avr.
month-short-5 = mai
month-short-6 = juin
month-short-7 = juil.
month-short-8 = août
month-short-9 = sept.
month-short-10 = oct.
month-short-11 = nov.
month-short-12 = déc.

## États
request-state-draft = Brouillon
request-state-submitted = En instruction
request-state-changes_requested = À compléter
request-state-approved = Acceptée
request-state-refused = Refusée
request-state-archived = Archivée
permit-state-active = En vigueur
permit-state-suspended = Suspendue
permit-state-superseded = Remplacée
permit-state-revoked = Révoquée
permit-state-expired = Expirée
stage-sandbox = Bac à sable
stage-production = Production

## Composants
components-title = Composants
