"""The people and works of the demo: five storefronts, written to read as real. All of it is invented."""

from typing import NamedTuple


class Work(NamedTuple):
    """A title: name, price in minor units of the creator's currency (0 is free), language, description."""

    title: str
    price: int
    language: str
    description: str


class Maker(NamedTuple):
    """A creator and what they made."""

    stage_name: str
    country: str
    currency: str
    language: str
    bio: str
    works: list[Work]


class Storefront(NamedTuple):
    """One of the five kinds of platform that Backlot runs."""

    slug: str
    name: dict[str, str]
    kind: str
    makers: list[Maker]


FILMS = Storefront(
    "films",
    {"en": "Films", "fr": "Films", "ht": "Fim"},
    "movie",
    [
        Maker(
            "Lakou Cinéma",
            "HT",
            "USD",
            "ht",
            "A small studio in Jacmel that films with non-actors from the coast.",
            [
                Work(
                    "Dlo ki dòmi",
                    799,
                    "ht",
                    "Yon pechè nan Jakmèl jwenn yon bato san moun, ak yon lèt ki gen non papa l.",
                ),
                Work(
                    "Lapli sou do kay la",
                    599,
                    "ht",
                    "De sè ap tann lapli sezon an pou yo ka vann kay manman yo.",
                ),
                Work(
                    "Bisiklèt Wouj",
                    499,
                    "ht",
                    "Yon ti gason aprann kondi yon bisiklèt ki twò wo pou li, nan yon sèl jounen.",
                ),
                Work(
                    "The Salt Road",
                    899,
                    "en",
                    "A truck driver carries salt from Anse-Rouge to the capital while the road closes behind him.",
                ),
                Work("Granmoun yo", 399, "ht", "Pòtrè senk granmoun ki rakonte premye fwa yo te wè lanmè."),
            ],
        ),
        Maker(
            "Marjorie Estimé",
            "US",
            "USD",
            "en",
            "Brooklyn director of family dramas; her mother does the catering and the casting.",
            [
                Work(
                    "Sunday at Nostrand",
                    999,
                    "en",
                    "Three generations share one kitchen on the day the lease ends.",
                ),
                Work(
                    "The Interpreter's Daughter",
                    899,
                    "en",
                    "A teenager translates at the clinic and learns what her parents never told her.",
                ),
                Work(
                    "Two Trains Home",
                    699,
                    "en",
                    "Strangers miss the same train and spend the night telling each other lies.",
                ),
                Work("Kitchen Creole", 499, "en", "A short film about a recipe that nobody wrote down."),
            ],
        ),
        Maker(
            "Studio Belle-Anse",
            "HT",
            "USD",
            "fr",
            "Fictions et documentaires tournés dans le Sud-Est, en équipe de six.",
            [
                Work(
                    "Le Gardien du phare",
                    799,
                    "fr",
                    "Un gardien refuse de quitter son phare le jour où l'on automatise la lampe.",
                ),
                Work(
                    "Nos mères les rivières",
                    699,
                    "fr",
                    "Documentaire sur quatre femmes qui lavent, pêchent et décident au bord de l'eau.",
                ),
                Work(
                    "Après le cyclone",
                    899,
                    "fr",
                    "Un instituteur reconstruit l'école avec les bancs qu'on lui rapporte un à un.",
                ),
                Work(
                    "Petit commerce",
                    399,
                    "fr",
                    "Une journée au marché de Belle-Anse, filmée à hauteur de panier.",
                ),
            ],
        ),
        Maker(
            "Wilner Dorcély",
            "CA",
            "CAD",
            "fr",
            "Cinéaste montréalais, ancien chauffeur de taxi, fidèle aux histoires de nuit.",
            [
                Work(
                    "Quart de nuit",
                    999,
                    "fr",
                    "Un infirmier et une concierge se croisent chaque nuit sans jamais se parler, jusqu'à la panne.",
                ),
                Work("Côte-des-Neiges", 799, "fr", "Un immeuble, douze portes, une seule chaudière."),
                Work(
                    "The Last Fare",
                    699,
                    "en",
                    "A retired driver goes back to find the passenger he left behind in 1998.",
                ),
            ],
        ),
        Maker(
            "Ti Fanm Productions",
            "HT",
            "USD",
            "ht",
            "Women's collective in Okap: comedies with a bite, written at one table.",
            [
                Work(
                    "Maryaj san envite",
                    599,
                    "ht",
                    "Yon maryaj kote tout moun envite tèt yo, sof mesye maryè a.",
                ),
                Work(
                    "Madan Sara Express",
                    699,
                    "ht",
                    "Twa machann pran yon bis ki pa janm rive nan menm vil la de fwa.",
                ),
                Work(
                    "Bòs Pyè pa la",
                    499,
                    "ht",
                    "Bòs la pa vini travay, epi tout moun dekouvri yo pa t bezwen l.",
                ),
            ],
        ),
        Maker(
            "Anse d'Hainault Films",
            "HT",
            "USD",
            "ht",
            "Crews trained at the parish hall; every film premieres on a bed sheet.",
            [
                Work("Zegui pèdi", 499, "ht", "Yon tayè chèche yon zegui pandan tout lavi l ap pase devan l."),
                Work(
                    "Chemen dekoupe",
                    599,
                    "ht",
                    "De jèn pran chemen dekoupe pou yo rive anvan move nouvèl la.",
                ),
                Work("Bel Solèy", 0, "ht", "Yon ti fim san pawòl sou yon jounen lapèch."),
            ],
        ),
    ],
)

CATALOGUE = Storefront(
    "catalogue",
    {"en": "Series and lessons", "fr": "Séries et leçons", "ht": "Seri ak leson"},
    "video",
    [
        Maker(
            "Kouto TV",
            "HT",
            "USD",
            "ht",
            "Cooking from every department, one knife and one pot.",
            [
                Work(
                    "Soup joumou, etap pa etap",
                    299,
                    "ht",
                    "Chef la montre tout etap soup endepandans lan, depi joumou jouk pen.",
                ),
                Work("Griyo ki krikan", 299, "ht", "Sekrè a se nan dlo a, pa nan luil la."),
                Work("Pikliz pou tout ane a", 199, "ht", "Twa bokal, twa degre piman."),
                Work(
                    "Diri djon djon",
                    299,
                    "en",
                    "Black mushroom rice explained by somebody who picks the mushrooms herself.",
                ),
            ],
        ),
        Maker(
            "École du Bel-Air",
            "FR",
            "EUR",
            "fr",
            "Cours du soir filmés : grammaire, solfège, comptabilité, patience.",
            [
                Work(
                    "Le solfège en dix matins",
                    1499,
                    "fr",
                    "Dix leçons courtes, un seul cahier, un tambour pour compter.",
                ),
                Work(
                    "Compter pour vendre",
                    999,
                    "fr",
                    "La comptabilité d'un petit commerce, avec de vrais reçus froissés.",
                ),
                Work(
                    "Écrire une lettre officielle",
                    499,
                    "fr",
                    "Du brouillon à l'enveloppe, sans formule creuse.",
                ),
                Work(
                    "Le passé composé enfin",
                    399,
                    "fr",
                    "Quarante minutes pour ne plus hésiter entre être et avoir.",
                ),
            ],
        ),
        Maker(
            "Kreyòl Kids",
            "US",
            "USD",
            "ht",
            "Songs, letters and hand games for children growing up between two languages.",
            [
                Work("Alfabè ak tanbou", 399, "ht", "Chak lèt gen yon son, chak son gen yon ritm."),
                Work("Konte jiska san", 299, "ht", "Kont nimewo ak pye, men, ak zoranj."),
                Work("Bonswa Lalin", 199, "ht", "Yon istwa pou dòmi, san moun ki pale fò."),
                Work("Where Is Malis?", 399, "en", "Bouki and Malis play hide and seek in two languages."),
            ],
        ),
        Maker(
            "Atelye Fè Dekoupe",
            "HT",
            "USD",
            "ht",
            "Metal workers of Croix-des-Bouquets teach what a drum lid can become.",
            [
                Work(
                    "Premye kou mato",
                    1299,
                    "ht",
                    "Chwazi bidon an, louvri l, plati l, san w pa blese tèt ou.",
                ),
                Work("Syrèn nan", 1499, "ht", "Desen, koupe ak poli yon syrèn ki gen senkant santimèt."),
                Work(
                    "Selling Your First Piece",
                    899,
                    "en",
                    "Pricing, packing and the customs form, by people who have lost parcels.",
                ),
            ],
        ),
        Maker(
            "Doktè Nathalie",
            "CA",
            "CAD",
            "fr",
            "Médecin de famille ; explique calmement ce que l'on cherche à minuit.",
            [
                Work("La fièvre d'un enfant", 0, "fr", "Quand attendre, quand appeler, quand partir."),
                Work(
                    "Vivre avec la tension",
                    499,
                    "fr",
                    "Ce que les chiffres veulent dire et ce qu'un plat peut changer.",
                ),
                Work("Gwosès san krent", 599, "ht", "Nèf mwa, nèf ti chapit, ak kesyon moun pa janm poze."),
            ],
        ),
        Maker(
            "Marcus Builds",
            "US",
            "USD",
            "en",
            "Solar kits, pumps and small repairs for places where the van does not come.",
            [
                Work(
                    "A Solar Kit from Zero",
                    1999,
                    "en",
                    "Panel, controller, battery: bought on Saturday, running on Sunday.",
                ),
                Work(
                    "Fix the Pump",
                    999,
                    "en",
                    "Five reasons a hand pump stops, in the order you should check them.",
                ),
                Work("Kouran san risk", 699, "ht", "Fil, fizib ak tè: sa ki ka touye w ak jan pou w evite l."),
            ],
        ),
    ],
)

LOCKERS = Storefront(
    "lockers",
    {"en": "Artist lockers", "fr": "Coffres d'artistes", "ht": "Kazye atis"},
    "locker_item",
    [
        Maker(
            "Zafè Pa m",
            "HT",
            "USD",
            "ht",
            "Konpa direk with brass, and a drummer who also fixes radios.",
            [
                Work("Live nan Rex la", 999, "ht", "Konsè antye a, ak de chante ki pa janm sou disk."),
                Work("Dèyè sèn nan", 299, "ht", "Repetisyon, kouran koupe, ri."),
                Work("Chante pou manman m", 199, "ht", "Vèsyon gita, anrejistre nan kizin."),
            ],
        ),
        Maker(
            "Rivyè Nwa",
            "US",
            "USD",
            "ht",
            "Rasin from Miami: three voices, five drums, no click track.",
            [
                Work("Yanvalou pou dlo a", 699, "ht", "Yon sèl pran, swasant minit, yon sèl kamera."),
                Work(
                    "The Drum Lessons",
                    1299,
                    "en",
                    "How the three drums talk to each other, with slow repeats.",
                ),
                Work("Kont lannwit", 299, "ht", "Kont ak chante, jan granmè te konn fè l."),
            ],
        ),
        Maker(
            "Éloïse Bazile",
            "FR",
            "EUR",
            "fr",
            "Chanteuse et violoncelliste ; ses carnets de tournée sont filmés au téléphone.",
            [
                Work(
                    "Carnet de Nantes",
                    399,
                    "fr",
                    "Une balance, un orage, un public de onze personnes ravies.",
                ),
                Work(
                    "Suite pour deux langues",
                    799,
                    "fr",
                    "Concert enregistré à la chapelle, en créole et en français.",
                ),
                Work("Comment j'écris", 499, "fr", "Une chanson depuis la première note jusqu'à l'abandon."),
            ],
        ),
        Maker(
            "DJ Tchaka",
            "CA",
            "CAD",
            "en",
            "Rabòday and house from a basement in Ottawa.",
            [
                Work("Carnival Warm-Up Mix", 499, "en", "Ninety minutes to clean the house to."),
                Work(
                    "Building a Rabòday Beat",
                    899,
                    "en",
                    "From an empty project to a track that neighbours complain about.",
                ),
                Work("Sèt kanaval 2026", 699, "ht", "Sèt konplè a, kamera sou platin yo."),
            ],
        ),
        Maker(
            "Manno Sisa",
            "HT",
            "USD",
            "ht",
            "Troubadour with one guitar and four hundred songs.",
            [
                Work("Serenad anba manguye", 399, "ht", "Douz chante, yon chèz, anpil mouch."),
                Work("Akò ki fasil", 599, "ht", "Uit akò pou jwe mwatye nan mizik twoubadou."),
                Work("Yon nwit Okay", 499, "ht", "Konsè nan lari a, tout katye a ap chante."),
            ],
        ),
        Maker(
            "Solange et les Voix",
            "HT",
            "USD",
            "fr",
            "Chœur de femmes de Port-au-Prince, vingt-deux voix et aucun micro.",
            [
                Work("Noël a cappella", 599, "fr", "Concert de décembre, enregistré d'une seule traite."),
                Work("Répéter sans partition", 399, "fr", "Comment le chœur apprend une pièce à l'oreille."),
            ],
        ),
    ],
)

PERSONAL = Storefront(
    "personal-videos",
    {"en": "Personal videos", "fr": "Vidéos personnelles", "ht": "Videyo pèsonèl"},
    "showcase",
    [
        Maker(
            "Jesifra",
            "HT",
            "USD",
            "ht",
            "Comedian; birthdays, apologies and wake-up calls on request.",
            [
                Work("Bòn fèt, vèsyon cho", 999, "ht", "Yon egzanp: bòn fèt pou yon moun ki renmen ri fò."),
                Work(
                    "Eskiz mwen fè pou ou",
                    799,
                    "ht",
                    "Si w pa konn ki jan pou w mande padon, m ap fè l pou ou.",
                ),
                Work("Pale ak patwon w", 599, "ht", "Yon sketch sou moun ki vle ogmantasyon."),
            ],
        ),
        Maker(
            "Coach Fabiola",
            "US",
            "USD",
            "en",
            "Half-marathon runner who records the message you play at kilometre fifteen.",
            [
                Work(
                    "Your Race Day Message",
                    1499,
                    "en",
                    "A sample: two minutes that start when your legs stop.",
                ),
                Work("Twenty Days to Five K", 1999, "en", "A short plan with a voice note for each morning."),
                Work("Get Up, It's Monday", 499, "en", "For people who sleep through alarms."),
            ],
        ),
        Maker(
            "Tonton Raymond",
            "CA",
            "CAD",
            "fr",
            "Conteur ; souhaits d'anniversaire en forme de contes.",
            [
                Work(
                    "Un conte pour ta fille",
                    1299,
                    "fr",
                    "Exemple de conte sur mesure, avec son prénom et son chat.",
                ),
                Work("Bouki à Montréal", 699, "fr", "Bouki découvre la neige et la vend."),
                Work("Krik? Krak!", 499, "ht", "Twa kont kout, ak repons piblik la."),
            ],
        ),
        Maker(
            "Pasteur Élie Toussaint",
            "HT",
            "USD",
            "fr",
            "Messages de réconfort pour les familles séparées.",
            [
                Work(
                    "Pour ceux qui sont loin",
                    799,
                    "fr",
                    "Un message de Noël pour une famille sur trois continents.",
                ),
                Work("Yon lapriyè pou kay la", 499, "ht", "Benediksyon pou yon nouvo kay."),
            ],
        ),
        Maker(
            "Kassandra Deus",
            "US",
            "USD",
            "en",
            "Actress; reads your letter as if it were a film.",
            [
                Work("Your Letter, Read Aloud", 1999, "en", "A sample reading of a letter that was never sent."),
                Work("Audition Self-Tape Notes", 1499, "en", "What casting sees in your first five seconds."),
                Work("Monologues in Creole", 899, "ht", "Senk monològ pou odisyon, ak esplikasyon."),
            ],
        ),
    ],
)

CAMPAIGNS = Storefront(
    "brand-stories",
    {"en": "Brand stories", "fr": "Histoires de marques", "ht": "Istwa mak"},
    "video",
    [
        Maker(
            "Mòn Kafe",
            "HT",
            "USD",
            "en",
            "Coffee growers of Thiotte who film their own harvest.",
            [
                Work("From Cherry to Cup", 0, "en", "Six families, one drying floor, eleven months."),
                Work("Cupping at Home", 899, "en", "Taste like a buyer with three spoons and a timer."),
                Work("Rekòt la", 299, "ht", "Jounen yon fanmi pandan rekòt la."),
            ],
        ),
        Maker(
            "Runway Pétion-Ville",
            "HT",
            "USD",
            "fr",
            "Couture, vernis et coulisses ; travaille avec quatre marques.",
            [
                Work("Karabela aujourd'hui", 699, "fr", "Une robe ancienne, cinq façons de la porter."),
                Work("Coudre une doublure", 999, "fr", "Le geste lent qui fait la différence."),
                Work("Backstage 2026", 0, "fr", "Les quatre minutes avant le défilé."),
            ],
        ),
        Maker(
            "Ayiti Adventures",
            "US",
            "USD",
            "en",
            "Guides filming trails, waterfalls and the honest state of the roads.",
            [
                Work("Bassin Bleu Without the Crowd", 599, "en", "When to go, whom to pay, what to wear."),
                Work(
                    "Pic la Selle in Two Days",
                    1299,
                    "en",
                    "The climb, the camp and the descent nobody warns you about.",
                ),
                Work("Mache nan Sitadèl la", 499, "ht", "Vizit gide ak istwa moun ki bati l."),
            ],
        ),
        Maker(
            "Tèt Kale Tech",
            "US",
            "USD",
            "en",
            "Phones, plans and transfers compared by somebody who sends money home every month.",
            [
                Work(
                    "Sending Money: What It Costs",
                    0,
                    "en",
                    "Six services, one hundred dollars, what arrives.",
                ),
                Work("Repare ekran w", 799, "ht", "Chanje yon ekran telefòn ak zouti ki pa koute chè."),
                Work(
                    "A Phone for Grandma",
                    499,
                    "en",
                    "Set it up once so that she never has to call you about it.",
                ),
            ],
        ),
        Maker(
            "Plaj ak Pwason",
            "HT",
            "USD",
            "ht",
            "Fishers' cooperative and its restaurant on the Côte-des-Arcadins.",
            [
                Work("Lanbi san gaspiyaj", 599, "ht", "Ki jan pou w kwit lanbi san w pa jete anyen."),
                Work("Grilling Whole Fish", 699, "en", "Charcoal, lime, patience."),
            ],
        ),
    ],
)

STOREFRONTS = [FILMS, CATALOGUE, LOCKERS, PERSONAL, CAMPAIGNS]

# Role: the person's name, language and time zone.
STAFF = {
    "super_admin": ("Nadège Laurent", "en", "America/New_York"),
    "admin": ("Patrick Cantave", "en", "America/New_York"),
    "ops_manager": ("Islande Mérisier", "fr", "America/Port-au-Prince"),
    "content_moderator": ("Guerda Philistin", "ht", "America/Port-au-Prince"),
    "customer_support": ("Kervens Joachim", "en", "America/Toronto"),
    "financial_admin": ("Roseline Abellard", "fr", "America/Montreal"),
    "verification_reviewer": ("Jude Mondésir", "en", "America/Port-au-Prince"),
    "editor": ("Anaïs Beaubrun", "fr", "Europe/Paris"),
    "analyst": ("Samuel Okoye", "en", "Europe/London"),
}

# A second person for what takes two, and colleagues who share the queues.
COLLEAGUES = [
    ("super.second@backlot.example", "Réginald Toussaint", "super_admin", "en", "America/Port-au-Prince"),
    ("finance.second@backlot.example", "Emmanuela Prophète", "financial_admin", "en", "America/New_York"),
    ("moderation.second@backlot.example", "Rodney Alcindor", "content_moderator", "en", "America/New_York"),
    (
        "support.second@backlot.example",
        "Mirlande Saint-Fleur",
        "customer_support",
        "ht",
        "America/Port-au-Prince",
    ),
]

# Somebody who is to join: the roles come with the invitation, the first one after a second Super Admin's yes.
INVITED = (
    "fabiola.jeudy@company.example",
    "Fabiola Jeudy",
    ("financial_admin", "editor"),
    "fr",
    "America/Port-au-Prince",
)

FIRST_NAMES = [
    "Adeline",
    "Widelène",
    "Jean-Robert",
    "Yolette",
    "Stanley",
    "Fritz",
    "Nadia",
    "Carline",
    "Ricardo",
    "Mackenson",
    "Fabienne",
    "Wilguens",
    "Dieula",
    "Ketsia",
    "Rodrigue",
    "Lovely",
    "Evens",
    "Daphnée",
    "Marckenson",
    "Guerline",
    "Thierry",
    "Claudette",
    "Junior",
    "Sabine",
    "Olivier",
    "Grace",
    "Hervé",
    "Tamara",
    "Alix",
    "Ninotte",
    "Denise",
    "Kenny",
    "Régine",
    "Frantz",
    "Vanessa",
    "Gérald",
    "Esther",
    "Amos",
    "Linda",
    "Rachelle",
]
LAST_NAMES = [
    "Pierre",
    "Joseph",
    "Charles",
    "Louis",
    "Jean",
    "François",
    "Antoine",
    "Michel",
    "Baptiste",
    "Désir",
    "Augustin",
    "Bernard",
    "Cadet",
    "Dorvil",
    "Étienne",
    "Fleurimond",
    "Germain",
    "Hyppolite",
    "Innocent",
    "Jacques",
    "Lafontant",
    "Mathurin",
    "Noël",
    "Orélien",
    "Pierre-Louis",
    "Quétant",
    "Remy",
    "Saint-Louis",
    "Théodore",
    "Ulysse",
    "Valcin",
    "Wesner",
    "Xavier",
    "Zéphir",
    "Lamarre",
    "Toussaint",
    "Bazelais",
    "Colas",
    "Duvivier",
    "Exantus",
]

# Waiting to be reviewed when the demo opens: stage name, person, language, country, what they write about themselves.
APPLICANTS = [
    (
        "Bèl Vwa Okap",
        "Wideline Exantus",
        "ht",
        "HT",
        "Mwen chante nan legliz depi m gen sèt an. Mwen vle vann konsè m yo.",
    ),
    (
        "Maison Lafleur",
        "Chantal Lafleur",
        "fr",
        "FR",
        "Je restaure des meubles créoles et je filme chaque étape.",
    ),
    ("Prof Kesnel", "Kesnel Dorvilus", "ht", "HT", "Pwofesè matematik nan Gonayiv; mwen gen 40 leson pare."),
    (
        "Nana Does Hair",
        "Nadine Cherilus",
        "en",
        "US",
        "Protective styles, taught slowly. Twelve years in a salon in Orlando.",
    ),
    (
        "Kap ak Syèl",
        "Jameson Saint-Hilaire-Desrosiers de la Croix-des-Bouquets",
        "ht",
        "HT",
        "Mwen fè kap epi m anseye timoun fè kap.",
    ),
    (
        "Tambours du Nord",
        "Frantzy Mondélus",
        "fr",
        "CA",
        "Percussions traditionnelles, ateliers pour écoles.",
    ),
    (
        "The Quiet Nurse",
        "Magalie Prosper",
        "en",
        "US",
        "Night nurse. I make calm videos about caring for parents at home.",
    ),
    (
        "Ciné-Club Jérémie",
        "Rose-Laure Guillaume",
        "fr",
        "HT",
        "Courts métrages de nos élèves, sous-titrés par eux-mêmes.",
    ),
]

# Tickets: issue type, language, subject, text, the agent's answer or None while it waits.
TICKETS = [
    (
        "payment",
        "en",
        "Charged twice for one film",
        "My card shows two charges for “Sunday at Nostrand”, both yesterday evening. I only bought it once.",
        None,
    ),
    (
        "payment",
        "ht",
        "Lajan m poko rive",
        "Mwen mande peman an depi lendi, jodi a se jedi. Èske gen yon pwoblèm ak kont mwen?",
        None,
    ),
    (
        "payment",
        "fr",
        "Reçu introuvable",
        "J'ai acheté « Quart de nuit » mais je n'ai pas reçu de reçu par courriel.",
        "Bonjour, votre reçu vient de repartir à la même adresse. Il se trouve aussi dans votre bibliothèque.",
    ),
    (
        "account",
        "en",
        "New phone, no codes",
        "I lost my phone and my authenticator app with it. I still have my e-mail address.",
        None,
    ),
    (
        "account",
        "fr",
        "Changer mon adresse",
        "Je voudrais utiliser une autre adresse électronique pour mon compte.",
        "Bonjour, vous pouvez la changer vous-même sous Profil ; un message de confirmation part aux deux adresses.",
    ),
    (
        "content",
        "en",
        "Sound is ahead of the picture",
        "In “Two Trains Home” from minute 31 the voices come before the lips move.",
        None,
    ),
    (
        "content",
        "ht",
        "Videyo a kanpe",
        "Dlo ki dòmi kanpe chak senk minit sou telefòn mwen. Lòt videyo yo mache.",
        "Bonjou, nou refè videyo a pou koneksyon ki pi dousman. Tanpri eseye ankò.",
    ),
    (
        "content",
        "fr",
        "Sous-titres manquants",
        "Il n'y a pas de sous-titres français pour « The Salt Road ».",
        None,
    ),
    (
        "general",
        "en",
        "Can I watch on my television?",
        "I have an Android television. Is there an app or do I cast from my phone?",
        "Yes: open the film on your phone and cast it, or sign in in the browser of the television.",
    ),
    ("general", "ht", "Kijan pou m vin kreyatè?", "Mwen gen kat videyo pare. Ki dokiman nou bezwen?", None),
    (
        "feature",
        "en",
        "A list of what I want to watch later",
        "Please let me save films for later without buying them.",
        None,
    ),
    (
        "feature",
        "fr",
        "Offrir un film",
        "J'aimerais acheter un film pour ma sœur et le lui envoyer.",
        "Merci, l'idée est notée et transmise à l'équipe.",
    ),
]
