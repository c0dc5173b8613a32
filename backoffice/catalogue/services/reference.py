"""The categories that a storefront starts with (E-012), in every language."""

from backoffice.catalogue.models import Category

# slug, English, French, Haitian Creole
TITLES = [
    ("film", "Film", "Film", "Fim"),
    ("music", "Music", "Musique", "Mizik"),
    ("comedy", "Comedy", "Humour", "Komedi"),
    ("documentary", "Documentary", "Documentaire", "Dokimantè"),
    ("sports", "Sports", "Sport", "Espò"),
    ("food", "Food", "Cuisine", "Manje"),
    ("dance", "Dance", "Danse", "Dans"),
    ("learning", "Learning", "Apprendre", "Aprann"),
    ("culture", "Culture", "Culture", "Kilti"),
    ("faith", "Faith", "Foi", "Lafwa"),
]
CREATORS = [
    ("musicians", "Musicians", "Musiciens", "Mizisyen"),
    ("actors", "Actors", "Acteurs", "Aktè"),
    ("comedians", "Comedians", "Humoristes", "Komedyen"),
    ("athletes", "Athletes", "Athlètes", "Atlèt"),
    ("film-makers", "Film makers", "Cinéastes", "Sineyas"),
    ("teachers", "Teachers", "Enseignants", "Anseyan"),
]


def load() -> int:
    """Makes the categories that are missing and returns how many; what staff have renamed stays renamed."""
    made = 0
    for kind, rows in ((Category.Kind.TITLE, TITLES), (Category.Kind.CREATOR, CREATORS)):
        for position, (slug, name_en, name_fr, name_ht) in enumerate(rows):
            _category, new = Category.objects.get_or_create(
                slug=slug,
                defaults={
                    "kind": kind,
                    "name_en": name_en,
                    "name_fr": name_fr,
                    "name_ht": name_ht,
                    "position": position,
                },
            )
            made += new
    return made
