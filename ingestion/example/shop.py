"""The world of the example: a shop in Riyadh, those who work there, what it sells and who buys.

Nobody in it is real, and every phone number matches FICTIONAL_PHONES.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

# Saudi 055 500 xxxx, Emirates 055 500 xxxx, Kuwait 9650 xxxx (which begins like its own country code),
# Egypt 0100 500 xxxx, and the shop's own lines. Valid in form, obviously made up.
FICTIONAL_PHONES = r"^(96655500\d{4}|97155500\d{4}|9659650\d{4}|20100500\d{4}|96611000000\d)$"

STORE_ID = 1100220033
STORE_NAME = "دار ريحان"
STORE_DOMAIN = "https://rayhan.example.com"
WABA_ID = "700000000000001"
CHATWOOT_ACCOUNT = 1
INBOX_ID = 7
INBOX_NAME = "WhatsApp Sales"


@dataclass(frozen=True)
class Line:
    """A business number."""

    name: str
    phone: str
    phone_number_id: str


SALES = Line(INBOX_NAME, "966110000001", "800000000000001")
SUPPORT = Line("WhatsApp Support", "966110000002", "800000000000002")


@dataclass(frozen=True)
class Agent:
    """Someone who answers. reply_median: seconds, in a quiet hour."""

    agent_id: int
    name: str
    email: str
    reply_median: int
    works_evenings: bool
    works_mornings: bool
    from_day: int = 0  # the day of the story on which they begin


AGENTS = (
    Agent(11, "نورة العتيبي", "noura@rayhan.example.com", 95, works_evenings=True, works_mornings=True),
    Agent(12, "Fahad Al-Qahtani", "fahad@rayhan.example.com", 190, works_evenings=True, works_mornings=False),
    Agent(13, "ريم الشمري", "reem@rayhan.example.com", 150, works_evenings=False, works_mornings=True),
    Agent(14, "Yousef Mansour", "yousef@rayhan.example.com", 420, works_evenings=True, works_mornings=True),
    Agent(15, "أمل الحربي", "amal@rayhan.example.com", 240, works_evenings=True, works_mornings=False, from_day=20),
)
BOT_ID, BOT_NAME = 5, "مساعد ريحان"
RULE_ID = 9
RULE_ACTOR = "Automation System"
SUPPORT_AGENTS = ("layla", "omar")  # the support number knows its agents by tag only


@dataclass(frozen=True)
class Product:
    """Something for sale. price: whole riyals before tax."""

    product_id: int
    sku: str
    name: str
    price: int
    category: str


PRODUCTS = tuple(
    Product(950000001 + n, sku, name, price, category)
    for n, (sku, name, price, category) in enumerate(
        (
            ("RYH-OUD-50", "عطر عود ملكي 50مل", 320, "عطور"),
            ("RYH-OUD-100", "عطر عود ملكي 100مل", 540, "عطور"),
            ("RYH-MSK-30", "مسك أبيض 30مل", 120, "عطور"),
            ("RYH-AMB-75", "Amber Nights 75ml", 280, "عطور"),
            ("RYH-ROS-50", "ورد الطائف 50مل", 260, "عطور"),
            ("RYH-BKH-40", "بخور معمول 40جم", 75, "بخور"),
            ("RYH-ABY-BLK", "عباية كريب سوداء", 290, "عبايات"),
            ("RYH-ABY-NVY", "عباية كتان كحلي", 340, "عبايات"),
            ("RYH-ABY-EMB", "عباية مطرزة فاخرة", 480, "عبايات"),
            ("RYH-SCF-SLK", "طرحة حرير", 90, "عبايات"),
            ("RYH-SWT-MIX", "حلا مشكل 1 كجم", 110, "حلويات"),
            ("RYH-SWT-DAT", "تمر سكري محشي", 65, "حلويات"),
            ("RYH-SWT-MAM", "معمول بالتمر", 55, "حلويات"),
            ("", "صندوق هدايا ريحان", 399, "هدايا"),
        )
    )
)


@dataclass(frozen=True)
class Identity:
    """How WhatsApp knows a person from an instant on. phone: E.164 digits, hidden from the shop where None."""

    since: int
    phone: str | None
    user_id: str | None


@dataclass(eq=False)
class Person:
    """A customer, who stays the same person whatever their number."""

    number: int
    first_name: str
    last_name: str
    is_arabic: bool
    is_female: bool
    country: str
    city: str
    username: str | None
    own_phone: str | None  # what Salla is told, until the number changes
    identities: list[Identity] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def identity(self, at: int) -> Identity:
        """How WhatsApp knows them at an instant."""
        return self.identities[self.identity_number(at)]

    def identity_number(self, at: int) -> int:
        if len(self.identities) == 1:
            return 0
        return max(n for n, known in enumerate(self.identities) if n == 0 or known.since <= at)

    def phone(self, at: int) -> str | None:
        """Their phone at an instant, whether WhatsApp shows it or not."""
        return self.identity(at).phone or self.own_phone


ARABIC_WOMEN = ("سارة", "نوف", "هند", "العنود", "مها", "لطيفة", "جواهر", "شهد", "غادة", "وجدان", "منيرة", "دانة")
ARABIC_MEN = ("محمد", "عبدالله", "سلطان", "فيصل", "تركي", "ماجد", "خالد", "سعود", "بندر", "راشد")
LATIN_WOMEN = ("Sara", "Layan", "Mariam", "Huda", "Jana", "Aisha", "Farah", "Nadia")
LATIN_MEN = ("Omar", "Khalid", "Ahmed", "Ziad", "Tariq", "Bilal", "Hassan")
ARABIC_FAMILIES = ("الدوسري", "المطيري", "الغامدي", "الزهراني", "السبيعي", "الرشيد", "العنزي", "القرني", "التميمي", "الشهري")
LATIN_FAMILIES = ("Al-Harbi", "Saeed", "Al-Mutairi", "Hakim", "Nasser", "Al-Dosari", "Khan", "Mansour", "Rahman")
CITIES = {
    "SA": (
        ("الرياض", 34), ("Riyadh", 14), ("جدة", 13), ("Jeddah", 6), ("الدمام", 7), ("الخبر", 5), ("Khobar", 3),
        ("مكة المكرمة", 6), ("المدينة المنورة", 5), ("بريدة", 4), ("أبها", 3), ("تبوك", 2),
    ),
    "AE": (("دبي", 5), ("Dubai", 4), ("أبوظبي", 3)),
    "KW": (("الكويت", 3), ("Kuwait City", 1)),
    "EG": (("القاهرة", 3), ("Cairo", 1)),
}
COUNTRIES = {
    "SA": ("السعودية", "+966", "SAR", 966),
    "AE": ("الامارات", "+971", "AED", 971),
    "KW": ("الكويت", "965", "KWD", 965),
    "EG": ("مصر", "+20", "EGP", 20),
}
PHONE_FORMS = {"SA": "96655500{:04d}", "AE": "97155500{:04d}", "KW": "9659650{:04d}", "EG": "20100500{:04d}"}


def user_id_of(country: str, number: int, generation: int) -> str:
    """A business-scoped user id as WhatsApp makes them; it changes with the phone."""
    return f"{country}.4{generation}{number * 7919 % 10**8:08d}{number:09d}"


def new_phone(country: str, serial: int) -> str:
    return PHONE_FORMS[country].format(serial)


def new_person(rng: Random, number: int, phone: str | None = None) -> Person:
    """The next customer. Most have a phone and an id; some are known by username only, some by phone only."""
    country = "SA" if phone else rng.choices(("SA", "AE", "KW", "EG"), (91, 5, 2, 2))[0]
    is_arabic = rng.random() < 0.74
    is_female = rng.random() < 0.68
    if is_arabic:
        first, last = rng.choice(ARABIC_WOMEN if is_female else ARABIC_MEN), rng.choice(ARABIC_FAMILIES)
    else:
        first, last = rng.choice(LATIN_WOMEN if is_female else LATIN_MEN), rng.choice(LATIN_FAMILIES)
    cities, weights = zip(*CITIES[country], strict=True)
    own_phone = phone or new_phone(country, number)
    shown = rng.random()
    username = f"{'rayhan' if is_arabic else first.lower()}.fan{number}" if shown < 0.09 else None
    known = Identity(
        since=0,
        phone=None if shown < 0.035 and not phone else own_phone,
        user_id=None if shown > 0.955 and not phone else user_id_of(country, number, 0),
    )
    return Person(
        number, first, last, is_arabic, is_female, country, rng.choices(cities, weights)[0], username, own_phone, [known]
    )
