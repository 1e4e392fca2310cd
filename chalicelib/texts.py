"""A campaign's longer texts, and its partners' logos: apart from the campaign's own item, which every request reads."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from pynamodb.attributes import UnicodeAttribute

from . import settings, store
from .errors import Invalid, NotFound

MAX: Mapping[str, int] = {"about": 10_000, "rules": 10_000, "urgent": 2_000}
LOGO_MAX = 40_000
_PNG, _LOGO = "data:image/png;base64,", "logo#"
# Each part can match in one way only, so that no text makes the search long.
_SVG = re.compile(r"\ufeff?\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*+-->\s*|<!DOCTYPE[^>]*>\s*)*+<svg[\s>]", re.DOTALL)


class Texts(store.Record):
    class Meta:
        table_name = settings.table("texts")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True, default="texts")
    about = UnicodeAttribute(default="")
    rules = UnicodeAttribute(default="")
    urgent = UnicodeAttribute(default="")


class Logo(store.Record):
    """A partner's logo, as SVG."""

    class Meta:
        table_name = settings.table("texts")

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    svg = UnicodeAttribute()


def get(campaign: str, *, consistent: bool = False) -> Texts:
    return Texts.find(campaign, "texts", consistent=consistent) or item(campaign, {})


def item(campaign: str, found: Mapping[str, str]) -> Texts:
    made = Texts(pk=campaign, sk="texts")
    for name in MAX:
        setattr(made, name, found.get(name, "").strip())
    return made


def wrong_in(found: Mapping[str, str]) -> dict[str, str]:
    return {name: f"{len(text)} characters; at most {MAX[name]} fit" for name, text in found.items() if len(text) > MAX[name]}


def put_logo(campaign: str, partner: str, image: str) -> None:
    """Stores a logo given as SVG, or as a PNG's data: address. Safe to repeat. Raises `Invalid` (image)."""
    wrong = wrong_with_logo(image)
    if wrong:
        raise Invalid.fields_of(wrong)
    Logo(pk=campaign, sk=f"{_LOGO}{partner}", svg=_as_svg(image.strip())).save()


def wrong_with_logo(image: str) -> dict[str, str]:
    if len(image) > LOGO_MAX:
        return {"image": f"{len(image)} characters; at most {LOGO_MAX} fit"}
    return {} if _as_svg(image.strip()) else {"image": "please give an SVG, or a PNG as data:image/png;base64,..."}


def _as_svg(image: str) -> str | None:
    if _SVG.match(image):
        return image
    try:
        data = base64.b64decode(image.removeprefix(_PNG), validate=True) if image.startswith(_PNG) else b""
    except ValueError:
        return None
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or len(data) < 24:
        return None
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    inner = f'<image href="{image}" width="{width}" height="{height}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{inner}</svg>'


def drop_logo(campaign: str, partner: str) -> None:
    """Safe to repeat."""
    Logo(pk=campaign, sk=f"{_LOGO}{partner}").delete()


def logos(campaign: str) -> frozenset[str]:
    """The ids of the partners that have one."""
    found = Logo.query(campaign, Logo.sk.startswith(_LOGO), attributes_to_get=["sk"], consistent_read=True)
    return frozenset(str(item.sk).removeprefix(_LOGO) for item in found)


def logo(campaign: str, partner: str) -> str:
    """As SVG. Raises `NotFound`."""
    found = Logo.find(campaign, f"{_LOGO}{partner}", consistent=False)
    if found is None:
        raise NotFound("There is no such logo.")
    return found.svg
