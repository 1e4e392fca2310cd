"""A campaign's longer texts, and logos as SVG."""

from __future__ import annotations

import base64
import time
from xml.etree import ElementTree

import pytest

from chalicelib import texts
from chalicelib.errors import Invalid, NotFound
from tests.aws import lost_response

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>'
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (40).to_bytes(4, "big") + (30).to_bytes(4, "big") + b"\x08\x06\0\0\0"


def as_address(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def test_campaign_without_texts_has_empty_ones(aws: None) -> None:
    found = texts.get("calm")

    assert (found.about, found.rules, found.urgent) == ("", "", "")


def test_texts_are_kept(aws: None) -> None:
    texts.item("calm", {"about": " It. ", "rules": "Be kind."}).save()

    found = texts.get("calm", consistent=True)
    assert (found.about, found.rules, found.urgent) == ("It.", "Be kind.", "")


@pytest.mark.parametrize(
    "image",
    [
        SVG,
        f"\n{SVG}\n",
        f'<?xml version="1.0"?>\n<!-- made by hand --><!-- <b> -->\n{SVG}',
        f'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">{SVG}',
    ],
)
def test_svg_is_kept_as_it_is(aws: None, image: str) -> None:
    texts.put_logo("calm", "nt", image)

    assert texts.logo("calm", "nt") == image.strip()


def test_png_is_kept_inside_an_svg_of_its_size(aws: None) -> None:
    texts.put_logo("calm", "nt", as_address(PNG))

    found = ElementTree.fromstring(texts.logo("calm", "nt"))
    assert found.attrib["viewBox"] == "0 0 40 30"
    assert found[0].attrib["href"] == as_address(PNG)


@pytest.mark.parametrize("number", [1, 2])
def test_logo_is_replaced_safe_to_repeat(aws: None, number: int) -> None:
    texts.put_logo("calm", "nt", as_address(PNG))
    with lost_response("dynamodb", "PutItem"):
        for _ in range(number):
            texts.put_logo("calm", "nt", SVG)

    assert texts.logo("calm", "nt") == SVG
    assert texts.logos("calm") == {"nt"}


def test_logo_can_be_dropped_twice(aws: None) -> None:
    texts.put_logo("calm", "nt", SVG)
    texts.drop_logo("calm", "nt")
    texts.drop_logo("calm", "nt")

    with pytest.raises(NotFound):
        texts.logo("calm", "nt")
    assert texts.logos("calm") == frozenset()


@pytest.mark.parametrize(
    "image",
    [
        "",
        "https://nt.example/logo.png",
        "<html><svg></svg></html>",
        "<!-- <svg> -->",
        "svg",
        "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
        "data:image/png;base64,R0lGODlhAQABAAAAACw=",
        "data:image/png;base64,é",
        as_address(PNG) + '"/><script>',
        as_address(PNG[:20]),
        SVG + " " * 40_000,
    ],
)
def test_what_is_no_image_is_refused(aws: None, image: str) -> None:
    with pytest.raises(Invalid) as refused:
        texts.put_logo("calm", "nt", image)

    assert set(refused.value.fields) == {"image"}


@pytest.mark.parametrize("part", ["<!---->", "<!--", "<?xml ", "<!DOCTYPE x>", " "])
def test_no_text_makes_looking_for_an_svg_slow(aws: None, part: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(Invalid):
        texts.put_logo("calm", "nt", part * (texts.LOGO_MAX // len(part)))

    assert time.perf_counter() - begun < 1
