"""Lists the words that generated records are made of. No text of a real record is among them."""

_TOPICS = """
accounts address admin analytics announcement archive asset async audit auth autocomplete avatar
backup badge banner basket billing blog bookmark broker bulk cache calendar captcha catalog celery
chart chat checkout comment compress config consent contact cookie country coupon cron csv currency
dashboard debug deploy docs draft email encrypt event export facet feature feed fieldset file filter
fixture form forum gallery geo graph guard health history hooks hotel html i18n icons image import
inbox invoice job json kanban label language ledger library license locale lock log login mail map
markdown market measure media menu message meta metrics migrate mobile money monitor multilang music
navigation news notes notify oauth order otp page paginate password payment pdf permission phone
photo pipeline plan poll postal postgres preview price profile publish push query queue quota rating
redirect redis registry report rest review rich role route rules sandbox schedule schema search
secure select seo session settings shipping shop signal sitemap slug social spatial static storage
stripe survey sync table tag task template tenant testing theme thumb ticket timeline token toolbar
tracking translate tree upload user validate vector vendor video voucher webhook widget wiki wizard
workflow
"""
TOPICS = tuple(_TOPICS.split())

PREFIXES = ("django", "django", "django", "django", "django", "drf", "wagtail", "djangocms", "dj")

ENDINGS = ("extras", "kit", "lite", "ng", "plus", "pro", "tools", "two")

PURPOSES = (
    "Adds {} to a Django project",
    "A small Django app around {}",
    "Everything a site needs for {}, with tests",
    "Models and views for {} ",
    "{} done simply",
    "Connects Django with {}",
)

LANDS = (
    "",
    "",
    " in the admin",
    " for editors",
    " with migrations",
    " on PostgreSQL",
    " für große Projekte",
    " ✨",
)

GRID_FORMS = ("{}", "{} apps", "{} backends", "{} fields", "{} helpers", "{} packages")

LOGIN_BEGINNINGS = (
    "al",
    "be",
    "cho",
    "da",
    "el",
    "fi",
    "gus",
    "ha",
    "in",
    "jo",
    "ka",
    "lu",
    "mi",
    "no",
    "or",
)
LOGIN_MIDDLES = ("ba", "de", "la", "mi", "na", "ro", "sha", "ti", "vi")
LOGIN_ENDINGS = ("", "-dev", "Py", "_", "x", "-hub", "42", "son", "7")

VERSIONS = (
    "0.1",
    "0.1.2",
    "0.9.1",
    "1.0",
    "1.0.0",
    "1.0b2",
    "1.4.3",
    "2.0.0rc1",
    "2.1",
    "3.0.1",
    "4.2.11",
    "24.1",
)

HOSTS = (
    "https://github.com/generated/{}",
    "https://github.com/generated/{}",
    "https://github.com/generated/{}",
    "https://github.com/generated/{}",
    "https://github.com/Generated/{}/",
    "https://gitlab.com/generated/{}",
    "https://bitbucket.org/generated/{}",
    "https://codeberg.org/generated/{}.git",
)

# Every spelling that the contract's table of fields knows (section 3).
PYPI_URLS = (
    "http://pypi.python.org/pypi/{}",
    "http://pypi.python.org/pypi/{}/",
    "https://pypi.org/project/{}",
    "https://pypi.org/project/{}/",
    "{}",
    "",
)

DOCUMENTATION_URLS = (
    None,
    None,
    "",
    "https://{}.readthedocs.io/en/latest/",
    "https://generated.example/{}/docs",
)
