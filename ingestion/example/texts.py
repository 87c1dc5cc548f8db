"""What people say in the example, by topic, in Arabic and in English."""

from __future__ import annotations

OPENERS = {
    True: ("السلام عليكم", "مساء الخير", "هلا", "السلام عليكم ورحمة الله", "الله يعطيكم العافية"),
    False: ("Hi", "Hello", "Good evening", "Salam", "Hi there"),
}
QUESTIONS = {
    "product": {
        True: (
            "عندكم عطر العود الملكي؟", "كم سعر العباية المطرزة؟", "هل يتوفر مقاس 56؟", "وش الفرق بين 50 و100 مل؟",
            "في توصيل لجدة؟", "كم يوم التوصيل؟", "عندكم دفع عند الاستلام؟", "المسك متوفر؟", "ابي صندوق هدايا لأمي",
            "فيه خصم على الطلبين؟", "الحلا يوصل طازج؟", "تقبلون تابي؟",
        ),
        False: (
            "Is the royal oud 100ml available?", "How much is the embroidered abaya?", "Do you have size 54?",
            "Do you deliver to Jeddah?", "Can I pay on delivery?", "Is there any discount for two?",
            "Which perfume lasts longer?", "Do you accept Tabby?",
        ),
    },
    "shipping": {
        True: ("وين وصل طلبي؟", "متى يجي الشحن؟", "الشحن متأخر", "المندوب ما تواصل معي", "رقم التتبع ما يفتح"),
        False: ("Where is my order?", "When will the shipping arrive?", "The tracking link does not open", "Any update on delivery?"),
    },
    "exchange": {
        True: ("ابي أبدل المقاس", "العباية طويلة علي", "كيف أسترجع الطلب؟", "ابي أغير اللون", "ممكن استبدال؟"),
        False: ("I want to exchange the size", "How can I return this?", "The colour is not what I expected", "Can I swap it?"),
    },
    "complaint": {
        True: ("وصلني العطر مكسور", "الطلب ناقص", "هذا مو اللي طلبته", "للأسف التغليف سيء", "أول مرة أتعامل معكم بهالشكل"),
        False: ("The bottle arrived broken", "An item is missing", "This is not what I ordered", "I am not happy with this"),
    },
}
FOLLOW_UPS = {
    True: ("طيب", "تمام", "كم المجموع؟", "أوكي ارسلي الرابط", "وإذا ما ناسبني؟", "ممكن صورة؟", "اليوم يمدي؟", "طيب والشحن مجاني؟"),
    False: ("ok", "Great", "What is the total?", "Please send the link", "Can I see a photo?", "Today?", "And the delivery fee?"),
}
THANKS = {
    True: ("شكرا", "يعطيك العافية", "تسلمين", "مشكورين", "الله يسعدك"),
    False: ("Thanks", "Thank you!", "Perfect, thanks", "Appreciated"),
}
ANSWERS = {
    True: (
        "وعليكم السلام، حياك الله", "نعم متوفر", "السعر شامل الضريبة", "التوصيل من يومين إلى أربعة أيام",
        "أبشر، هذا رابط الطلب", "نعتذر منك، راح نتابعها الحين", "تم رفع طلبك للشحن", "ممكن رقم الطلب؟",
        "يوصلك بكرة إن شاء الله", "نقدر نبدلها لك خلال سبعة أيام", "تم، أي خدمة ثانية؟", "العرض ساري لنهاية الأسبوع",
    ),
    False: (
        "Hello and welcome", "Yes, it is available", "The price includes VAT", "Delivery takes two to four days",
        "Here is the order link", "We are sorry, I am checking it now", "May I have your order number?",
        "You can exchange it within seven days", "Done, anything else?", "The offer runs until the weekend",
    ),
}
GREETING = "أهلا بك في دار ريحان 🌿 سيرد عليك أحد موظفينا قريبا"
OUT_OF_OFFICE = "نحن خارج أوقات الدوام، نعود إليك مع أول موظف متاح"
BOT_ANSWER = "للاستعلام عن طلبك أرسل رقمه المكون من ثمانية أرقام"
RULE_ANSWER = "وصلنا استفسارك عن الشحن وحولناه للفريق المختص"
CAMPAIGN_TEXT = "وصل حديثا: مجموعة العود الجديدة. اكتب لنا لتعرف المزيد"
NOTES = ("العميلة تنتظر الرد من المستودع", "Called, no answer", "تم التنسيق مع شركة الشحن")
FLOW_TAGS = ("flow:track_order", "bot:faq")
