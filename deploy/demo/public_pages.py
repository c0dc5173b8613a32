"""Help articles and policies of the demo in the platform's languages, published by the editor."""

import datetime as dt
from typing import Any

from wagtail.models import Page

from backoffice.accounts.models import User
from cms.help.models import HelpArticlePage, HelpIndexPage
from cms.policies.models import PolicyIndexPage, PolicyPage
from cms.services import pages, reference

Kind, Topic = HelpArticlePage.Kind, HelpArticlePage.Topic

# Name, kind, topic, then language -> title, summary, text. One translation is missing on purpose: the
# editors' first page has something to say.
ARTICLES: list[tuple[str, Kind, Topic, dict[str, tuple[str, str, str]]]] = [
    (
        "when-paid",
        Kind.FAQ,
        Topic.PAYOUTS,
        {
            "en": (
                "When am I paid?",
                "Earnings become available after the refund window and are paid on request or by schedule.",
                "<p>A sale first waits out the refund window. After that the amount counts as available"
                " and you can"
                " request a payout, or leave it to your weekly or monthly schedule.</p><h2>Minimum"
                " amounts</h2><ul>"
                "<li>MonCash: 10 USD</li><li>Bank transfer: 50 USD</li><li>Cash pickup: 100 USD</li></ul>",
            ),
            "fr": (
                "Quand suis-je payé ?",
                "Les gains deviennent disponibles après le délai de remboursement.",
                "<p>Une vente attend d’abord la fin du délai de remboursement. Ensuite le montant est"
                " disponible :"
                " demandez un versement, ou laissez faire votre calendrier hebdomadaire ou mensuel.</p>"
                "<h2>Montants minimums</h2><ul><li>MonCash : 10 USD</li><li>Virement : 50 USD</li>"
                "<li>Retrait en espèces : 100 USD</li></ul>",
            ),
            "ht": (
                "Kilè y ap peye m?",
                "Lajan an disponib apre delè ranbousman an fini.",
                "<p>Chak lavant ap tann delè ranbousman an fini anvan. Apre sa, montan an disponib: ou ka"
                " mande yon"
                " peman, oswa kite l fèt chak semèn oswa chak mwa.</p><h2>Montan minimòm</h2><ul>"
                "<li>MonCash: 10 USD</li><li>Transfè labank: 50 USD</li><li>Lajan kach: 100 USD</li></ul>",
            ),
        },
    ),
    (
        "what-is-kept",
        Kind.ARTICLE,
        Topic.PAYOUTS,
        {
            "en": (
                "What is kept from a sale",
                "Commission, processing fee, and what is left for you, line by line.",
                "<p>Every sale shows three lines: the platform’s commission, the processor’s fee, and your"
                " share."
                " Open the sale in your earnings to see the rule behind each line.</p>",
            ),
            "fr": (
                "Ce qui est retenu sur une vente",
                "Commission, frais de paiement et votre part, ligne par ligne.",
                "<p>Chaque vente montre trois lignes : la commission de la plateforme, les frais de"
                " paiement et votre"
                " part. Ouvrez la vente dans vos gains pour voir la règle de chaque ligne.</p>",
            ),
            "ht": (
                "Kisa yo retire sou yon lavant",
                "Komisyon, frè peman, ak sa ki rete pou ou, liy pa liy.",
                "<p>Chak lavant montre twa liy: komisyon platfòm nan, frè peman an, ak pa w la. Louvri"
                " lavant lan"
                " nan paj lajan w pou w wè règ ki dèyè chak liy.</p>",
            ),
        },
    ),
    (
        "apply",
        Kind.ARTICLE,
        Topic.CREATING,
        {
            "en": (
                "Becoming a creator",
                "What we ask for, how long it takes, and what happens if something is missing.",
                "<p>You need a sample video, one identity document and at least one public account.</p><ol>"
                "<li>Fill in the application; it is saved as you go.</li><li>A reviewer checks it within"
                " three"
                " days.</li><li>If something is missing you are told exactly what, and the same reviewer"
                " looks at"
                " your answer.</li></ol>",
            ),
            "fr": (
                "Devenir créateur",
                "Ce que nous demandons, combien de temps cela prend, et la suite s’il manque une pièce.",
                "<p>Il faut une vidéo d’exemple, une pièce d’identité et au moins un compte public.</p><ol>"
                "<li>Remplissez la demande ; elle est enregistrée au fur et à mesure.</li><li>Une personne la"
                " vérifie sous trois jours.</li><li>S’il manque quelque chose, on vous dit précisément"
                " quoi.</li></ol>",
            ),
            "ht": (
                "Kijan pou w vin kreyatè",
                "Sa nou mande, konbyen tan sa pran, ak sa k ap fèt si gen yon bagay ki manke.",
                "<p>Ou bezwen yon videyo egzanp, yon pyès idantite ak omwen yon kont"
                " piblik.</p><ol><li>Ranpli demann"
                " nan; li anrejistre etap pa etap.</li><li>Yon moun verifye l nan twa jou.</li><li>Si yon"
                " bagay"
                " manke, n ap di w egzakteman kisa.</li></ol>",
            ),
        },
    ),
    (
        "upload",
        Kind.VIDEO_TUTORIAL,
        Topic.CREATING,
        {
            "en": (
                "Uploading a long film over a slow line",
                "Uploads go up in parts and continue where they stopped.",
                "<p>Keep the page open; when the line drops, the upload goes on from the last finished"
                " part. Files up"
                " to 10 GB are accepted.</p>",
            ),
            "fr": (
                "Envoyer un long film avec une connexion lente",
                "L’envoi se fait par parties et reprend où il s’est arrêté.",
                "<p>Laissez la page ouverte ; si la connexion tombe, l’envoi reprend à la dernière partie"
                " terminée."
                " Les fichiers jusqu’à 10 Go sont acceptés.</p>",
            ),
        },
    ),
    (
        "refund",
        Kind.FAQ,
        Topic.BUYING,
        {
            "en": (
                "A film I bought does not play",
                "What to try first, and how to get your money back.",
                "<p>Reload the page and try another quality. If it still does not play, open a ticket from"
                " your"
                " library with the film’s name: we look within an hour, and refund you if we cannot fix"
                " it.</p>",
            ),
            "fr": (
                "Un film que j’ai acheté ne se lance pas",
                "Ce qu’il faut essayer d’abord, et comment être remboursé.",
                "<p>Rechargez la page et essayez une autre qualité. Si rien n’y fait, ouvrez un ticket"
                " depuis votre"
                " bibliothèque : nous regardons dans l’heure et vous remboursons si nous n’y pouvons"
                " rien.</p>",
            ),
            "ht": (
                "Yon fim mwen achte pa jwe",
                "Sa pou w eseye anvan, ak kijan pou w jwenn lajan w.",
                "<p>Rechaje paj la epi eseye yon lòt kalite. Si l toujou pa jwe, louvri yon tikè nan"
                " bibliyotèk ou:"
                " n ap gade l nan inèdtan, epi n ap ranbouse w si nou pa ka ranje l.</p>",
            ),
        },
    ),
    (
        "second-factor",
        Kind.ARTICLE,
        Topic.SAFETY,
        {
            "en": (
                "Signing in with a second step",
                "An authenticator app or a passkey keeps your earnings yours.",
                "<p>Open your account, choose two-step sign-in, and scan the code with an authenticator"
                " app. Print the"
                " recovery codes and keep them away from your phone.</p>",
            ),
            "fr": (
                "Se connecter en deux étapes",
                "Une application d’authentification ou une clé d’accès protège vos gains.",
                "<p>Ouvrez votre compte, choisissez la connexion en deux étapes et scannez le code."
                " Imprimez les codes"
                " de secours et gardez-les loin de votre téléphone.</p>",
            ),
            "ht": (
                "Konekte ak yon dezyèm etap",
                "Yon aplikasyon otantifikasyon oswa yon kle pwoteje lajan w.",
                "<p>Louvri kont ou, chwazi koneksyon an de etap, epi eskane kòd la. Enprime kòd sekou yo"
                " epi sere yo"
                " lwen telefòn ou.</p>",
            ),
        },
    ),
]

POLICIES: list[tuple[str, dict[str, tuple[str, str]]]] = [
    (
        "terms",
        {
            "en": (
                "Terms of use",
                "<p>Whoever buys a title may watch it as long as it is offered. Creators keep their rights"
                " and give us"
                " the right to show what they publish.</p><h2>Refunds</h2><p>A title that does not play is"
                " refunded"
                " in full.</p>",
            ),
            "fr": (
                "Conditions d’utilisation",
                "<p>Qui achète un titre peut le regarder tant qu’il est proposé. Les créateurs gardent"
                " leurs droits et"
                " nous autorisent à montrer ce qu’ils publient.</p><h2>Remboursements</h2><p>Un titre qui"
                " ne se lance"
                " pas est remboursé en entier.</p>",
            ),
            "ht": (
                "Kondisyon itilizasyon",
                "<p>Moun ki achte yon tit ka gade l toutotan li ofri. Kreyatè yo kenbe dwa yo epi ban nou"
                " dwa montre sa"
                " yo pibliye.</p><h2>Ranbousman</h2><p>Nou ranbouse tout lajan an si yon tit pa jwe.</p>",
            ),
        },
    ),
    (
        "content",
        {
            "en": (
                "What may be published",
                "<p>Publish what is yours. No violence for its own sake, no hate, nobody shown against"
                " their will."
                " Every refusal names its rule and can be appealed within 48 hours.</p>",
            ),
            "fr": (
                "Ce qui peut être publié",
                "<p>Publiez ce qui est à vous. Pas de violence gratuite, pas de haine, personne montré"
                " contre son gré."
                " Chaque refus cite sa règle et peut être contesté sous 48 heures.</p>",
            ),
            "ht": (
                "Sa ou ka pibliye",
                "<p>Pibliye sa ki pou ou. Pa gen vyolans pou anyen, pa gen rayisman, pa montre moun ki pa"
                " dakò. Chak"
                " refi di ki règ li baze sou li, epi ou ka fè apèl nan 48 èdtan.</p>",
            ),
        },
    ),
]


def publish(*, by: User, today: dt.date) -> int:
    """Publishes what is not there yet; returns how many pages the demo has in all languages together."""
    count = 0
    helps, policies = _parents(HelpIndexPage), _parents(PolicyIndexPage)
    for name, kind, topic, texts in ARTICLES:
        fields: dict[str, dict[str, Any]] = {
            language: {"kind": kind, "topic": topic, "title": title, "summary": summary, "body": body}
            for language, (title, summary, body) in texts.items()
        }
        key = reference.key(f"demo-help-{name}")
        count += len(pages.publish_in_languages(helps, HelpArticlePage, fields, key=key, by=by))
    for name, policy in POLICIES:
        fields = {
            language: {
                "title": title,
                "body": body,
                "version": f"{today.year}-01",
                "effective_from": dt.date(today.year, 1, 1),
            }
            for language, (title, body) in policy.items()
        }
        key = reference.key(f"demo-policy-{name}")
        count += len(pages.publish_in_languages(policies, PolicyPage, fields, key=key, by=by))
    return count


def _parents(kind: type[Page]) -> dict[str, Page]:
    found = kind.objects.select_related("locale")  # type: ignore[attr-defined]
    return {page.locale.language_code: page for page in found}
